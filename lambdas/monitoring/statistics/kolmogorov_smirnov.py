"""The two-sample Kolmogorov-Smirnov test, on counts in ordered bins.

The distance of the two cumulative shares is looked at where bins end, so it is at most the distance of the samples
themselves, and the p-value at least theirs: on bins the test is conservative, the less so the finer they are.

References
----------
M. A. Stephens (1970), Use of the Kolmogorov-Smirnov, Cramér-von Mises and related statistics without extensive tables,
for the correction of small samples. W. Press and others (2007), Numerical Recipes, 6.14.12, for both series.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, pi, sqrt

from lambdas.monitoring.statistics.errors import totals

# Below it the first series converges slowly and the other fast.
_SERIES_MEET = 1.18


@dataclass(frozen=True)
class Kolmogorov:
    """The largest distance of the two distribution functions, and the chance of it if nothing has changed."""

    distance: float
    p_value: float


def kolmogorov_smirnov(reference: Sequence[float], current: Sequence[float]) -> Kolmogorov:
    """Compare two samples that were counted on the same ordered bins.

    Raises
    ------
    IncomparableError
        If the bins differ in number, or a sample is empty.
    """
    m, n = totals(reference, current)
    pairs = zip(accumulate(reference), accumulate(current), strict=True)
    distance = max(abs(old / m - new / n) for old, new in pairs)
    effective = sqrt(n * m / (n + m))
    return Kolmogorov(distance, survival((effective + 0.12 + 0.11 / effective) * distance))


def survival(x: float) -> float:
    """Return the chance that Kolmogorov's variable exceeds `x`."""
    if x <= 0:
        return 1.0
    if x < _SERIES_MEET:
        factor = exp(-(pi**2) / (8 * x * x))
        return 1 - sqrt(2 * pi) / x * sum(factor ** ((2 * j - 1) ** 2) for j in range(1, 5))
    return 2.0 * sum((-1.0) ** (j - 1) * exp(-2 * (j * x) ** 2) for j in range(1, 7))
