"""Kayenta's rule (NetflixACAJudge), in its standard settings, for a metric whose increase is bad.

What it does, read from its sources (Apache 2.0, kayenta-judge and kayenta-mannwhitney, April 2025) and written anew:
the values of a metric, one a minute, are two samples. The estimate of how far they are apart is the shift at which
Wilcoxon's statistic is nought; the ends of its interval of 98 % are those at which it is the normal quantile (ties and
continuity minded, as R's `wilcox.test`). The metric is High when the lower end is above a quarter of the estimate, and
the mean has not fallen. Minutes without values count as 0. Samples with the same values pass.

The roots are found by Brent's method with a tolerance of 1e-4, which is part of the rule: where most values are 0 the
statistic jumps there, and the estimate and the end of the interval are both what the search happened to stop at.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from bench.judge.traffic import Floats

CONFIDENCE = 0.98
TOLERANCE = 0.25
ROOT_TOLERANCE = 1e-4
_MOST_STEPS = 1000
_QUANTILE = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / 2)


@dataclass(frozen=True)
class Difference:
    """How far two samples are apart."""

    low: float
    high: float
    estimate: float


def is_high(new: Floats, live: Floats) -> bool:
    """Return whether the rule fails the new version on the values so far."""
    if np.array_equal(np.sort(new), np.sort(live)):
        return False
    if _surely_not(new, live):
        return False
    found = difference(new, live)
    return found.low > TOLERANCE * abs(found.estimate) and _mean_has_grown(new, live)


def _surely_not(new: Floats, live: Floats) -> bool:
    """Return whether the lower end is below 0, which is quickly seen: the statistic falls as the shift grows."""
    shift = -10 * ROOT_TOLERANCE
    return new.min() - live.max() < shift < new.max() - live.min() and _score(new, np.sort(live), shift) < _QUANTILE


def difference(new: Floats, live: Floats, quantile: float = _QUANTILE) -> Difference:
    """Return the interval and the estimate of the shift between two samples."""
    ordered = np.sort(live)
    least, most = float(new.min() - live.max()), float(new.max() - live.min())
    at_least, at_most = _score(new, ordered, least), _score(new, ordered, most)

    def end(wanted: float) -> float:
        if at_least - wanted <= 0:
            return least
        if at_most - wanted >= 0:
            return most
        return root(
            lambda shift: _score(new, ordered, shift) - wanted, least, most, at_least - wanted, at_most - wanted
        )

    middle = root(lambda shift: _score(new, ordered, shift), least, most, at_least, at_most)
    return Difference(end(quantile), end(-quantile), middle)


def _score(new: Floats, ordered: Floats, shift: float) -> float:
    """Return Wilcoxon's statistic of the new sample, shifted, against the live one in order."""
    moved = new - shift
    below, upto = ordered.searchsorted(moved, "left"), ordered.searchsorted(moved, "right")
    many, few = len(ordered), len(moved)
    distance = float((below + upto).sum()) / 2 - few * many / 2
    _, sizes = np.unique(np.concatenate([moved, ordered]), return_counts=True)
    every = few + many
    ties = float((sizes**3 - sizes).sum()) / (every * (every - 1))
    spread = math.sqrt(few * many / 12 * (every + 1 - ties))
    if spread == 0:
        return 0.0
    return (distance - math.copysign(0.5, distance) * (distance != 0)) / spread


def _mean_has_grown(new: Floats, live: Floats) -> bool:
    """Return whether the ratio of the means is 1 or more; one that cannot be had (a mean of 0) is left out."""
    before, now = float(live.mean()), float(new.mean())
    return before == 0 or now == 0 or now / before >= 1


def root(of: Callable[[float], float], low: float, high: float, at_low: float, at_high: float) -> float:
    """Return where a function is nought: R's `zeroin`, which is Brent's method (1973, chapter 4)."""
    if at_low == 0 or at_high == 0:
        return low if at_low == 0 else high
    last, now, other = low, high, low
    f_last, f_now, f_other = at_low, at_high, at_low
    for _ in range(_MOST_STEPS):
        before = now - last
        if abs(f_other) < abs(f_now):
            last, now, other = now, other, now
            f_last, f_now, f_other = f_now, f_other, f_now
        enough = 2 * np.finfo(float).eps * abs(now) + ROOT_TOLERANCE / 2
        step = (other - now) / 2
        if abs(step) <= enough or f_now == 0:
            return now
        if abs(before) >= enough and abs(f_last) > abs(f_now):
            step = _interpolated((last, now, other), (f_last, f_now, f_other), before, enough, step)
        last, f_last = now, f_now
        now += step if abs(step) >= enough else math.copysign(enough, step)
        f_now = of(now)
        if f_now * f_other > 0:
            other, f_other = last, f_last
    return now


def _interpolated(
    at: tuple[float, float, float],
    values: tuple[float, float, float],
    before: float,
    enough: float,
    halved: float,
) -> float:
    """Return the step by a straight line or an inverse parabola, where it is short enough; else half the interval."""
    (last, now, other), (f_last, f_now, f_other) = at, values
    gap = other - now
    if last == other:
        ratio = f_now / f_last
        upper, lower = gap * ratio, 1 - ratio
    else:
        first, second, third = f_last / f_other, f_now / f_other, f_now / f_last
        upper = third * (gap * first * (first - second) - (now - last) * (second - 1))
        lower = (first - 1) * (second - 1) * (third - 1)
    lower, upper = (-lower, upper) if upper > 0 else (lower, -upper)
    short = upper < 0.75 * gap * lower - abs(enough * lower) / 2 and upper < abs(before * lower / 2)
    return upper / lower if short else halved
