"""Samples of one metric in one span of time, and the statistics over them."""

import math
import re
from dataclasses import dataclass, field

from localcloud.errors import NotSimulatedError

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")
_BETWEEN = re.compile(r"(TC|PR|TM|TS)\((\d*\.?\d+)?:(\d*\.?\d+)?\)")
"""Statistics of the values between two bounds, of which one may be left out."""

_ALL = 100.0


@dataclass(frozen=True)
class StatisticSet:
    """What a client aggregated itself; its samples are not known."""

    count: float
    total: float
    minimum: float
    maximum: float


@dataclass
class Samples:
    """How often each value occurred, beside sets that came aggregated."""

    counts: dict[float, float] = field(default_factory=dict)
    sets: list[StatisticSet] = field(default_factory=list)

    def add(self, value: float, count: float) -> None:
        """Add `count` samples of `value`."""
        self.counts[value] = self.counts.get(value, 0.0) + count

    def merge(self, other: "Samples") -> None:
        """Add all samples of `other`."""
        for value, count in other.counts.items():
            self.add(value, count)
        self.sets += other.sets

    def __bool__(self) -> bool:
        return bool(self.counts or self.sets)


def statistic(samples: Samples, name: str) -> float | None:
    """Return a statistic such as ``Sum`` or ``p99``; None where there are no samples to compute it from."""
    if not samples:
        return None
    if name in _SIMPLE:
        return _SIMPLE[name](samples)
    if found := _PERCENTILE.fullmatch(name):
        return _percentile(samples, float(found[1]))
    found = _BETWEEN.fullmatch(name)
    if found is None or not (found[2] or found[3]):
        raise NotSimulatedError(f"CloudWatch statistic {name}")
    return _between(samples, found[1], float(found[2] or "-inf"), float(found[3] or "inf"))


def _count(samples: Samples) -> float:
    return sum(samples.counts.values()) + sum(s.count for s in samples.sets)


def _total(samples: Samples) -> float:
    return math.fsum(v * n for v, n in samples.counts.items()) + math.fsum(s.total for s in samples.sets)


def _average(samples: Samples) -> float | None:
    count = _count(samples)
    return _total(samples) / count if count else None


def _minimum(samples: Samples) -> float:
    return min([*samples.counts, *(s.minimum for s in samples.sets)])


def _maximum(samples: Samples) -> float:
    return max([*samples.counts, *(s.maximum for s in samples.sets)])


def _single_values(samples: Samples) -> dict[float, float] | None:
    """Return how often each value occurred; as on AWS, nobody knows that of statistic sets of several values."""
    counts = dict(samples.counts)
    for aggregated in samples.sets:
        if aggregated.minimum != aggregated.maximum:
            return None
        counts[aggregated.minimum] = counts.get(aggregated.minimum, 0.0) + aggregated.count
    return counts


def _percentile(samples: Samples, percent: float) -> float | None:
    """Nearest rank."""
    counts = _single_values(samples)
    if counts is None:
        return None
    rank = percent / _ALL * sum(counts.values())
    seen = 0.0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= rank:
            return value
    return max(counts)


def _between(samples: Samples, name: str, lower: float, upper: float) -> float | None:
    """Return a statistic of the values above `lower` and up to `upper`: the lower bound is exclusive.

    TC counts them, PR is their percentage, TM their mean and TS their sum.
    """
    counts = _single_values(samples)
    if counts is None:
        return None
    inside = {value: count for value, count in counts.items() if lower < value <= upper}
    number, total = sum(inside.values()), math.fsum(value * count for value, count in inside.items())
    if name == "TM":
        return total / number if number else None
    return {"TC": number, "PR": _ALL * number / sum(counts.values()), "TS": total}[name]


_SIMPLE = {
    "SampleCount": _count,
    "Sum": _total,
    "Average": _average,
    "Minimum": _minimum,
    "Maximum": _maximum,
}
