"""What a judgement is made from: counts of requests, period by period. Nothing but counts is ever compared."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lambdas.rollout.judge.incomparable import NONE, Incomparable


@dataclass(frozen=True)
class Tally:
    """How many requests were bad, out of all of them."""

    events: int
    total: int

    @property
    def fine(self) -> int:
        """Requests that were not bad; never negative, though metrics of one period may arrive apart."""
        return max(self.total - self.events, 0)

    def __add__(self, other: "Tally") -> "Tally":
        """Return both together."""
        return Tally(self.events + other.events, self.total + other.total)

    def __str__(self) -> str:
        """Say it as people write it."""
        return f"{self.events:,}/{self.total:,}"


def added(tallies: Iterable[Tally]) -> Tally:
    """Return all of them together."""
    return sum(tallies, Tally(0, 0))


@dataclass(frozen=True)
class Stratum:
    """One period: what the new and the live version answered in it.

    Whatever both versions share in a period (a swing of the base rate, a weight that has just been raised) cancels,
    because the two are only ever compared within it.
    """

    at: float
    new: Tally
    live: Tally


@dataclass(frozen=True)
class Replays:
    """Requests put to the new version in the period that began at `at`, which its metrics count like any others."""

    at: float
    tally: Tally


@dataclass(frozen=True)
class Paired:
    """The same inputs, put to both versions: how many, and how many were answered differently.

    `replays` are the requests that this took, also those that came to nothing; `incomparable` the live version's
    answers in which there was nothing to compare.
    """

    at: float
    compared: int
    differed: int
    replays: tuple[Replays, ...] = ()
    incomparable: Incomparable = NONE


@dataclass(frozen=True)
class Labelled:
    """Inputs whose true answer became known and that exactly one of the two versions had answered rightly."""

    at: float
    new_only_right: int
    live_only_right: int


@dataclass(frozen=True)
class Series:
    """All that is known about a new version beside the live one.

    Parameters
    ----------
    period_seconds
        Length of a period of `errors` and `latency`.
    errors
        Answers with 5xx.
    latency
        Requests slower than `threshold_ms`, which was fixed before the new version took traffic.
    threshold_ms
        None: nothing was fixed, and latency is not judged.
    answers
        Same inputs given to both versions.
    labels
        True answers, as they come in.
    incomparable
        Answers of the live version's in which there was nothing to compare.
    """

    period_seconds: int
    errors: tuple[Stratum, ...] = ()
    latency: tuple[Stratum, ...] = ()
    threshold_ms: float | None = None
    answers: tuple[Paired, ...] = ()
    labels: tuple[Labelled, ...] = ()
    incomparable: Incomparable = NONE

    def since(self, at: float) -> "Series":
        """Return what was counted in periods that began at a time or later.

        Same inputs and labels stay: what a version answers to an input depends neither on its weight nor on the hour.
        """
        errors = tuple(each for each in self.errors if each.at >= at)
        latency = tuple(each for each in self.latency if each.at >= at)
        return replace(self, errors=errors, latency=latency)
