"""Whether a model does much worse on a part of the rows than on the others."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lambdas.monitoring.statistics.normal import wilson

from .comparison import Answered
from .slices import Slice

LIMITS = {"accuracy": 0.1, "false_negative_rate": 0.2}
"""How much lower the accuracy, and how much higher the false-negative rate, of a slice may be than of all other rows.

Some rows are harder than others for any model. So a slice fails only where the whole interval of the difference lies
beyond the limit, and the champion does better there: nobody is to pay for what others gain."""


@dataclass(frozen=True)
class Share:
    """A share that was counted."""

    times: int
    of: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.times / self.of if self.of else None

    def to_json(self) -> dict[str, Any]:
        """Return it for JSON, with its Wilson interval of 95 %."""
        low, high = wilson(self.times, self.of) if self.of else (None, None)
        return {"value": self.value, "rows": self.of, "low": low, "high": high}


def bias(slices: Iterable[Slice], challenger: Answered, champion: Answered, judged: bool) -> dict[str, Any]:
    """Return the challenger's accuracy and false-negative rate on each slice beside those on all other rows.

    Parameters
    ----------
    slices
        The slices.
    challenger, champion
        The models' answers to all rows.
    judged
        Whether the limits apply: to slices that somebody has named. Of others the differences are told, for a reader.
    """
    found = [_slice(each, challenger, champion) for each in slices]
    failing = [each for each in found if not each["passed"]]
    return {"judged": judged, "limits": LIMITS, "passed": not (judged and failing), "slices": found}


def difference(one: Share, other: Share) -> dict[str, Any]:
    """Return ``one - other`` with Newcombe's interval of 95 %.

    Newcombe, *Interval estimation for the difference between independent proportions* (1998), method 10: made of the
    two Wilson intervals. None where a share is of nothing.
    """
    if one.value is None or other.value is None:
        return {"value": None, "low": None, "high": None}
    (low, high), (other_low, other_high) = wilson(one.times, one.of), wilson(other.times, other.of)
    apart = one.value - other.value
    return {
        "value": apart,
        "low": apart - sqrt((one.value - low) ** 2 + (other_high - other.value) ** 2),
        "high": apart + sqrt((high - one.value) ** 2 + (other.value - other_low) ** 2),
    }


def _slice(part: Slice, challenger: Answered, champion: Answered) -> dict[str, Any]:
    inside, outside, before = challenger.where(part.chosen), challenger.where(~part.chosen), champion.where(part.chosen)
    accuracy, missed = _accuracy(inside), _false_negatives(inside)
    less_accurate = difference(_accuracy(outside), accuracy)
    misses_more = difference(missed, _false_negatives(outside))
    worse = {
        "accuracy": accuracy.times < _accuracy(before).times,
        "false_negative_rate": missed.times > _false_negatives(before).times,
    }
    apart = {"accuracy": less_accurate, "false_negative_rate": misses_more}
    return {
        "column": part.column,
        "level": part.level,
        "rows": len(inside.labels),
        "accuracy": accuracy.to_json(),
        "accuracy_below_others": less_accurate,
        "champion_accuracy": _accuracy(before).value,
        "false_negative_rate": missed.to_json(),
        "false_negative_rate_above_others": misses_more,
        "champion_false_negative_rate": _false_negatives(before).value,
        "passed": not any(worse[name] and _beyond(apart[name], limit) for name, limit in LIMITS.items()),
    }


def _accuracy(answered: Answered) -> Share:
    return _share(answered.right)


def _false_negatives(answered: Answered) -> Share:
    return _share(~answered.right[answered.labels == 1])


def _share(true: NDArray[np.bool_]) -> Share:
    return Share(int(true.sum()), len(true))


def _beyond(apart: dict[str, Any], limit: float) -> bool:
    return apart["low"] is not None and bool(apart["low"] > limit)
