"""The population stability index, without the part of it that is chance.

With shares q of the reference and p of the window in B bins::

    PSI = sum (p - q) ln(p / q)

PSI is not 0 when nothing has changed: both samples scatter. For N and M rows, and enough of them in each bin, it is
then (1/N + 1/M) times a chi-square variable with B - 1 degrees of freedom (Yurdakul and Naranjo 2020), whose mean is
B - 1. So a stable feature in 10 bins shows a PSI of .09 at 100 rows and of .0009 at 10,000: the usual limits of .1 and
.25 mean different things at different sizes. What is judged here is PSI less its mean under no change,
(B - 1)(1/N + 1/M), and its p-value.

A bin that is empty in one sample would make PSI infinite. So half a row is added to it, in both samples (Jeffreys'
prior for that bin); other bins stay as they are, so that without empty bins PSI is what the textbook says. A bin that
is empty in both is no bin: it says nothing, and is not counted in B.

References
----------
B. Yurdakul and J. Naranjo (2020), Statistical properties of the population stability index, Journal of Risk Model
Validation 14(4). N. Siddiqi (2006), Credit Risk Scorecards, for the limits. H. Jeffreys (1946), of whose divergence PSI
is the estimate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from lambdas.monitoring.statistics import chi_square
from lambdas.monitoring.statistics.errors import totals

SMOOTHING = 0.5


@dataclass(frozen=True)
class Psi:
    """How far apart two samples are.

    Parameters
    ----------
    observed
        PSI as textbooks define it, chance included.
    null_mean
        What it is on average if nothing has changed.
    p_value
        Chance of at least so large a PSI if nothing has changed.
    bins
        How many bins hold something.
    """

    observed: float
    null_mean: float
    p_value: float
    bins: int

    @property
    def debiased(self) -> float:
        """PSI less its mean under no change: right on average, and below 0 about half the time if nothing changed."""
        return self.observed - self.null_mean


def psi(reference: Sequence[float], current: Sequence[float]) -> Psi:
    """Compare two samples that were counted on the same bins.

    Raises
    ------
    IncomparableError
        If the bins differ in number, or a sample is empty.
    """
    m, n = totals(reference, current)
    observed = _index(reference, current)
    bins = sum(1 for old, new in zip(reference, current, strict=True) if old or new)
    noise = 1 / n + 1 / m
    p_value = chi_square.survival(observed / noise, bins - 1) if bins > 1 else 1.0
    return Psi(observed, null_mean(bins, n, m), p_value, bins)


def null_mean(bins: int, rows: float, reference_rows: float) -> float:
    """Return the mean of PSI if nothing has changed: (B - 1)(1/N + 1/M)."""
    return (bins - 1) * (1 / rows + 1 / reference_rows)


def _index(reference: Sequence[float], current: Sequence[float]) -> float:
    pairs = [_smoothed(old, new) for old, new in zip(reference, current, strict=True) if old or new]
    m, n = sum(old for old, _ in pairs), sum(new for _, new in pairs)
    return sum((new / n - old / m) * log((new / n) / (old / m)) for old, new in pairs)


def _smoothed(old: float, new: float) -> tuple[float, float]:
    return (old, new) if old and new else (old + SMOOTHING, new + SMOOTHING)
