"""The Jensen-Shannon distance: 0 for equal shares, 1 for samples that have no bin in common.

References
----------
J. Lin (1991), Divergence measures based on the Shannon entropy. D. Endres and J. Schindelin (2003), for the square
root, which makes it a metric.
"""

from collections.abc import Sequence
from math import log2, sqrt

from lambdas.monitoring.statistics.errors import totals


def jensen_shannon(reference: Sequence[float], current: Sequence[float]) -> float:
    """Return the distance, with logarithms to base 2; empty bins need no smoothing.

    Raises
    ------
    IncomparableError
        If the bins differ in number, or a sample is empty.
    """
    m, n = totals(reference, current)
    shares = [(old / m, new / n) for old, new in zip(reference, current, strict=True)]
    divergence = sum(_term(p, (p + q) / 2) + _term(q, (p + q) / 2) for p, q in shares) / 2
    return sqrt(max(divergence, 0.0))


def _term(share: float, middle: float) -> float:
    return share * log2(share / middle) if share else 0.0
