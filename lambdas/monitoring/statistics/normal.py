"""The normal distribution, and an interval for a share."""

from math import erfc, sqrt
from statistics import NormalDist

_STANDARD = NormalDist()


def survival(z: float) -> float:
    """Return the chance that a standard normal variable exceeds `z`, exact far out in the tail too."""
    return erfc(z / sqrt(2)) / 2


def quantile(share: float) -> float:
    """Return the value below which `share` (0 to 1, both excluded) of a standard normal variable lies."""
    return _STANDARD.inv_cdf(share)


def wilson(successes: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of Wilson (1927) for a share.

    Unlike `share ± 1.96 standard errors` it never leaves 0..1 and holds its confidence for few trials and for shares
    near 0 and 1.

    Parameters
    ----------
    successes, trials
        The share is successes / trials. Without trials nothing is known: (0, 1).
    confidence
        Of the two-sided interval, 0 to 1.
    """
    if trials <= 0:
        return 0.0, 1.0
    z = quantile((1 + confidence) / 2)
    share, shrink = successes / trials, 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / shrink
    half = z / shrink * sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    # At the ends the bound is exact; rounding must not move it past them.
    return (0.0 if successes <= 0 else middle - half), (1.0 if successes >= trials else middle + half)
