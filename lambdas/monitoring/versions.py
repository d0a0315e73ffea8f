"""Which model version answered when, as the rollout engine recorded it."""

from collections.abc import Mapping
from dataclasses import dataclass

from lambdas.monitoring.windows import Window


@dataclass(frozen=True)
class Version:
    """A version in a slot.

    Parameters
    ----------
    version, package_arn, slot
        What it is called, its package (None for what the endpoint was created with), and where it runs.
    until
        When it ceased to be live, in epoch seconds; None while it is, and for one that has not been.
    mirrored
        Whether it only answers copies of requests as yet: those are captured a second time.
    """

    version: str
    package_arn: str | None
    slot: str
    until: float | None = None
    mirrored: bool = False


@dataclass(frozen=True)
class Timeline:
    """Versions of an endpoint.

    Parameters
    ----------
    lives
        Versions that were live, the oldest first; the last one is.
    candidate
        The version that is being rolled out.
    """

    lives: tuple[Version, ...]
    candidate: Version | None = None

    def at(self, when: float) -> Version:
        """Return what was live at a time; of times before the oldest record, the oldest that is known."""
        return next(each for each in self.lives if each.until is None or when < each.until)

    @property
    def mirrors(self) -> frozenset[str]:
        """Return the slots whose captures are of requests that another slot's captures hold as well."""
        return frozenset({self.candidate.slot} if self.candidate is not None and self.candidate.mirrored else ())

    def during(self, window: Window) -> dict[str, Version]:
        """Return what each slot held during a window, by which captured lines are told apart.

        A slot that held two versions within one window is that of the later one: captures name no version.
        """
        first, last = self.lives.index(self.at(window.start)), self.lives.index(self.at(window.end))
        held = {each.slot: each for each in self.lives[first : last + 1]}
        following = self.lives[last + 1] if last + 1 < len(self.lives) else self.candidate
        # Its canary may have answered some requests already.
        if following is not None and following.slot not in held:
            held[following.slot] = following
        return held


@dataclass(frozen=True)
class Baselines:
    """Where a version's baseline may lie: S3 URIs, tried in this order.

    Parameters
    ----------
    candidates
        Each the URI of a baseline, or of Model Monitor's statistics.
    constraints
        Model Monitor's constraints that belong to its statistics, by their URI.
    created_at
        When the package was made (ISO 8601): no baseline of it is younger, and Model Monitor's do not say.
    """

    candidates: tuple[str, ...]
    constraints: Mapping[str, str]
    created_at: str
