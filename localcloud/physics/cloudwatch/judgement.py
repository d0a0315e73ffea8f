"""What a metric alarm concludes from its data points: M of N, and the four treatments of missing data."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass

OK = "OK"
ALARM = "ALARM"
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"

# CloudWatch looks further back than N, so that data which arrives unevenly is not taken for missing. How far is not
# documented; its guide's examples have two periods more than N.
EXTRA_PERIODS = 2

Point = tuple[float, float | None]
"""Start of a period and its value; None where data is missing."""

COMPARISONS = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True)
class Criteria:
    """When an alarm alarms."""

    comparison: str
    threshold: float
    periods: int
    to_alarm: int
    missing: str = "missing"

    def breaches(self, value: float) -> bool:
        """Whether one value is beyond the threshold."""
        compare, _ = COMPARISONS[self.comparison]
        return bool(compare(value, self.threshold))


@dataclass(frozen=True)
class Judgement:
    """The state to be in, and the points that led to it."""

    state: str
    evaluated: Sequence[Point]


def judge(criteria: Criteria, points: Sequence[Point], current: str) -> Judgement:
    """Return what an alarm in state `current` concludes from `points`, oldest first.

    Parameters
    ----------
    criteria
        Threshold, M of N and the treatment of missing data.
    points
        The evaluation range: N and `EXTRA_PERIODS` more periods.
    current
        The state that is kept where the data allows no conclusion.
    """
    known = [point for point in points if point[1] is not None]
    if len(known) >= criteria.periods:
        evaluated = known[-criteria.periods :]
        return Judgement(_verdict(criteria, evaluated), evaluated)
    return Judgement(_with_missing(criteria, points, known, current), known)


def _verdict(criteria: Criteria, known: Sequence[Point], filled_breaching: int = 0) -> str:
    return ALARM if _breaching(criteria, known) + filled_breaching >= criteria.to_alarm else OK


def _with_missing(criteria: Criteria, points: Sequence[Point], known: Sequence[Point], current: str) -> str:
    """Fewer points than N are known: what counts for the rest depends on the treatment."""
    missing = criteria.periods - len(known)
    if criteria.missing == "breaching":
        return _verdict(criteria, known, filled_breaching=missing)
    if criteria.missing == "notBreaching":
        return _verdict(criteria, known)
    if not known:
        return current if criteria.missing == "ignore" else INSUFFICIENT_DATA
    if _breaching(criteria, known) >= criteria.to_alarm:
        return ALARM
    if any(not criteria.breaches(value) for _, value in known if value is not None):
        return OK
    # All that is known breaches, but it is too little: CloudWatch waits until the oldest of it is M periods old.
    if criteria.missing == "missing" and _age(points) >= criteria.to_alarm:
        return ALARM
    return current


def _breaching(criteria: Criteria, known: Sequence[Point]) -> int:
    return sum(1 for _, value in known if value is not None and criteria.breaches(value))


def _age(points: Sequence[Point]) -> int:
    """Return how many periods back the oldest known point lies, the latest period being 1."""
    return max(len(points) - index for index, (_, value) in enumerate(points) if value is not None)
