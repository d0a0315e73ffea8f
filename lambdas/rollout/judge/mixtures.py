"""Averages of likelihood ratios: bets on several alternatives at once.

A likelihood ratio against one alternative is an e-process: what it is worth on average, when the hypothesis is true, is
at most 1 at any time at which one may stop (Wald 1945). So is the mean of several of them (Robbins 1970), which asks
nobody to guess how bad a bad version is. By Ville's inequality (1939) the chance that an e-process *ever* reaches c is
at most 1/c: that is why it may be looked at as often as one likes.

Everything is kept as natural logarithms.

References
----------
J. Ville (1939), Étude critique de la notion de collectif. A. Wald (1945), Sequential tests of statistical hypotheses.
H. Robbins (1970), Statistical methods related to the law of the iterated logarithm. S. R. Howard, A. Ramdas,
J. McAuliffe and J. Sekhon (2021), Time-uniform, nonparametric, nonasymptotic confidence sequences.
"""

from collections.abc import Iterable
from math import exp, inf, log

IMPOSSIBLE = -inf

# How many times as bad a bad version may be.
WORSE = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)

# How many times as bad a version may be that is good enough.
AS_GOOD = (0.5, 0.8, 1.0, 1.2)

# Shares of what is tolerated that a good version may reach.
BELOW = (0.0, 0.25, 0.5, 0.75)


def log_mean(logs: Iterable[float]) -> float:
    """Return the logarithm of the mean of what `logs` are the logarithms of."""
    every = tuple(logs)
    most = max(every)
    if most == IMPOSSIBLE:
        return IMPOSSIBLE
    return most + log(sum(exp(one - most) for one in every) / len(every))


def log_times(count: int, factor: float) -> float:
    """Return the logarithm of `factor` to the power of `count`; nothing to the power of nothing is 1."""
    if not count:
        return 0.0
    return count * log(factor) if factor > 0 else IMPOSSIBLE
