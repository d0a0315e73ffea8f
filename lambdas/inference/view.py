"""Which versions an endpoint has just now, as its rollout table says. Pure but for the port that is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

FRESH_SECONDS = 2.0
"""For so long nobody is asked again."""

ROUTED_SECONDS = FRESH_SECONDS + 3.0
"""For so long a view decides who answers; it is older only while the table cannot be read."""

KEPT_SECONDS = 60.0
"""For so long the last view is good enough to name answers while the table cannot be read.

A slot gets another version only after the old one's instances are gone and new ones have started, which takes longer
than this and a request together. So the slot of an answer names the version that gave it, even in an old view.
"""

_ALL = 100.0


@dataclass(frozen=True)
class Served:
    """A version that is live, or may become so.

    Parameters
    ----------
    slot
        The production variant that it runs in.
    version
        Its version, as operators know it.
    key
        What tells its model from any other that was ever live on the endpoint.
    cache
        What tells it from the same model in another container as well: what its answers are kept under.
    """

    slot: str
    version: str
    key: str
    cache: str


@dataclass(frozen=True)
class View:
    """What is live, what may become live, and what share of the traffic that has.

    Parameters
    ----------
    live, candidate
        The candidate is None while no rollout is active.
    percent
        Share of the traffic that the candidate has been given; 0 once its rollout has been given up.
    read_at
        When this was read, in seconds of the clock of `Views`.
    """

    live: Served
    candidate: Served | None
    percent: float
    read_at: float

    @classmethod
    def of(cls, route: Mapping[str, Any], read_at: float) -> "View":
        """Read what the rollout engine has written.

        Raises
        ------
        KeyError, TypeError, ValueError, AttributeError
            When it has written something else.
        """
        candidate = route.get("candidate")
        return cls(_served(route["live"]), candidate and _served(candidate), float(route["percent"]), read_at)

    @property
    def versions(self) -> tuple[Served, ...]:
        """Return the versions that may answer."""
        return (self.live,) if self.candidate is None else (self.live, self.candidate)

    @property
    def is_the_candidates(self) -> bool:
        """Whether the candidate has been given all the traffic."""
        return self.candidate is not None and self.percent >= _ALL

    def shares(self, now: float) -> bool:
        """Return whether it is certain that two versions may be given traffic at a time on the view's clock."""
        return self.candidate is not None and self.percent > 0 and now - self.read_at <= ROUTED_SECONDS

    def named(self, slot: str) -> Served | None:
        """Return the version in a slot; None when the view knows of none there."""
        return next((each for each in self.versions if each.slot == slot), None)


def _served(found: Mapping[str, Any]) -> Served:
    key = str(found["key"])
    # What an engine has written that knew of no `cache` yet is read once more.
    return Served(str(found["slot"]), str(found["version"]), key, str(found.get("cache", key)))


class Views:
    """The latest view, read again when it has become old.

    Parameters
    ----------
    read
        Returns what the engine has written; None when it has written nothing. Raises when that cannot be learnt.
    clock
        Seconds on a clock that never goes back, and sees the time that a function is frozen.
    warn
        Told what went wrong.
    """

    def __init__(
        self,
        read: Callable[[], Mapping[str, Any] | None],
        clock: Callable[[], float],
        warn: Callable[[str], None],
    ) -> None:
        self._read = read
        self._clock = clock
        self._warn = warn
        self._view: View | None = None
        self._asked_at: float | None = None

    def latest(self) -> View | None:
        """Return the view; None when nothing is known, or what was known is too old."""
        if self._asked_at is None or self._clock() - self._asked_at >= FRESH_SECONDS:
            self.refresh()
        if self._view is not None and self._clock() - self._view.read_at > KEPT_SECONDS:
            self._view = None
        return self._view

    def refresh(self) -> None:
        """Read the view now; one that cannot be read leaves the last one as it is."""
        # When the question was put: the answer may be as old as that.
        self._asked_at = asked_at = self._clock()
        try:
            route = self._read()
            self._view = View.of(route, asked_at) if route is not None else None
        except Exception as error:
            # Requests are answered without a view as well, only neither from the cache nor by a rule.
            self._warn(f"which versions are live could not be read: {type(error).__name__}: {error}")
