"""The robust L-infinity distance, as AWS Deequ and so SageMaker Model Monitor compute it.

The largest difference of two shares (of categories), or of two cumulative shares (of numbers), less what chance may
explain at a level alpha: ``max(0, distance - c(alpha) sqrt((n + m) / (n m)))`` with ``c = sqrt(-ln(alpha / 2) / 2)``,
the critical value of the two-sample Kolmogorov-Smirnov test. Deequ's default, c = 1.8, is alpha = .003.

References
----------
``Distance.scala`` of github.com/awslabs/deequ (``categoricalDistance``, ``numericalDistance``, ``selectMetrics``).
D. Knuth (1998), The Art of Computer Programming, volume 2, 3.3.1, equation 15.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import log, sqrt

from lambdas.monitoring.statistics.errors import IncomparableError, totals

DEFAULT_C = 1.8


def categorical(reference: Mapping[str, float], current: Mapping[str, float], alpha: float | None = None) -> float:
    """Return the robust distance of the shares of categories; one that a side lacks has share 0 there.

    Parameters
    ----------
    alpha
        Level of the correction, 0 to 1; None: Deequ's default, which is c = 1.8.

    Raises
    ------
    IncomparableError
        If a sample is empty.
    """
    m, n = sum(reference.values()), sum(current.values())
    if not m or not n:
        raise IncomparableError("a sample without rows has no shares: ask for a distance only when both have some")
    names = {*reference, *current}
    return robust(max(abs(reference.get(name, 0) / m - current.get(name, 0) / n) for name in names), n, m, alpha)


def numerical(reference: Sequence[float], current: Sequence[float], alpha: float | None = None) -> float:
    """Return the robust distance of the cumulative shares of numbers, on ordered bins.

    Raises
    ------
    IncomparableError
        If the bins differ in number, or a sample is empty.
    """
    m, n = totals(reference, current)
    pairs = zip(accumulate(reference), accumulate(current), strict=True)
    return robust(max(abs(old / m - new / n) for old, new in pairs), n, m, alpha)


def robust(distance: float, n: float, m: float, alpha: float | None = None) -> float:
    """Return a distance less what chance may explain for samples of n and m rows; never below 0."""
    c = DEFAULT_C if alpha is None else sqrt(-log(alpha / 2) / 2)
    return max(0.0, distance - c * sqrt((n + m) / (n * m)))
