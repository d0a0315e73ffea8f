"""The chi-square distribution, central and not.

Its tail is a regularised incomplete gamma function, for which the standard library has nothing. Below ``a + 1`` the
series of the lower function converges fast, above it the continued fraction of the upper one, summed by the modified
method of Lentz (Thompson and Barnett 1986). Both to a few units in the last place.

References
----------
M. Abramowitz and I. Stegun (1964), 6.5.29, 6.5.31 and 26.4.25. W. Press and others (2007), Numerical Recipes, 6.2.
"""

from collections.abc import Callable
from functools import lru_cache
from math import exp, lgamma, log

_PRECISION = 1e-15
_MOST_TERMS = 100_000
_TINY = 1e-300


def survival(statistic: float, degrees: float) -> float:
    """Return the chance that a chi-square variable with so many degrees of freedom exceeds `statistic`."""
    return upper_gamma(degrees / 2, statistic / 2) if statistic > 0 else 1.0


def critical(level: float, degrees: float) -> float:
    """Return the value that is exceeded with a chance of `level`."""
    return _root(lambda value: survival(value, degrees) - level)


def noncentral_survival(statistic: float, degrees: float, noncentrality: float) -> float:
    """Return the tail of the noncentral distribution: of central ones with 2j more degrees, mixed as j ~ Poisson.

    Parameters
    ----------
    noncentrality
        Sum of the squared means of the normal variables whose squares are added up.
    """
    mean = noncentrality / 2
    if mean <= 0:
        return survival(statistic, degrees)
    spread = 10 * mean**0.5 + 20
    terms = range(max(0, int(mean - spread)), int(mean + spread) + 1)
    return sum(exp(j * log(mean) - mean - lgamma(j + 1)) * survival(statistic, degrees + 2 * j) for j in terms)


@lru_cache(maxsize=256)
def noncentrality_for(power: float, level: float, degrees: float) -> float:
    """Return the noncentrality at which a test at `level` rejects with a chance of `power`."""
    bound = critical(level, degrees)
    return _root(lambda size: power - noncentral_survival(bound, degrees, size))


def upper_gamma(a: float, x: float) -> float:
    """Return the regularised upper incomplete gamma function Q(a, x), for a > 0."""
    if x <= 0:
        return 1.0
    return 1.0 - _series(a, x) if x < a + 1 else _fraction(a, x)


def _front(a: float, x: float) -> float:
    exponent = a * log(x) - x - lgamma(a)
    return exp(exponent) if exponent > -745 else 0.0


def _series(a: float, x: float) -> float:
    term = total = 1 / a
    for step in range(1, _MOST_TERMS):
        term *= x / (a + step)
        total += term
        if term < total * _PRECISION / 10:
            break
    return total * _front(a, x)


def _fraction(a: float, x: float) -> float:
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    product = d
    for step in range(1, _MOST_TERMS):
        factor = -step * (step - a)
        b += 2
        d = 1 / (factor * d + b or _TINY)
        c = b + factor / c or _TINY
        product *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return product * _front(a, x)


def _root(decreasing: Callable[[float], float]) -> float:
    """Return where a decreasing function passes zero, right of 0."""
    low, high = 0.0, 1.0
    while decreasing(high) > 0:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if decreasing(middle) > 0 else (low, middle)
    return (low + high) / 2
