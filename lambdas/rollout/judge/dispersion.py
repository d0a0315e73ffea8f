"""How far evidence must be toned down because a service is noisier than independent requests would be.

Errors come in bursts: one bad host, one bad client. Counts then swing from minute to minute by more than chance allows,
and likelihood ratios take every swing for evidence. So their logarithm is divided by a factor phi, as quasi-likelihoods
are (Wedderburn 1974; McCullagh and Nelder 1989, ch. 4), estimated from Pearson's chi-square over the minutes::

    phi = max(1, (1 + X2) / (1 + minutes - 1)) * (1 + 1.5 / minutes)

The first factor shrinks the estimate a little towards 1 (one minute's worth). The second is for not knowing it: a noise
that was measured over six minutes may well be a quarter larger. It goes away with time.

Minutes, even where metrics come each ten seconds: six periods within one burst are alike, and would pass for calm.
Noise that goes on for longer than that cannot be told from a difference while it does.

What is divided by phi is *calibrated* by simulation (``make bench-judge``), not exact: dividing by an estimate keeps no
martingale. What is not divided is exact, see :mod:`lambdas.rollout.judge.rates`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

Deviation = tuple[int, float, float]
"""A block, how far a count in it is from what was expected, and the variance that chance gives the count.

Counts of one block make one term together.
"""

# How long a burst is taken to last.
BURST_SECONDS = 60

# Minutes that the estimate is worth before there are any, with no noise but chance.
PRIOR_LOOKS = 1

# How many minutes' worth of doubt there is about the estimate.
DOUBT = 1.5

# What the noise of a service is taken to be while it has not been measured: errors that come four at a time.
UNMEASURED = 4.0


@dataclass(frozen=True)
class Spread:
    """Pearson's chi-square, and the number of its terms: squared distances from what was expected, over the variance.

    What cannot vary is no term: a minute without a bad request tells nothing about a ratio.
    """

    squares: float
    terms: int


def minute(at: float) -> int:
    """Return the block that a period belongs to."""
    return int(at // BURST_SECONDS)


def spread(deviations: Iterable[Deviation]) -> Spread:
    """Add up Pearson's chi-square."""
    distances: dict[int, float] = defaultdict(float)
    variances: dict[int, float] = defaultdict(float)
    for block, distance, variance in deviations:
        distances[block] += distance
        variances[block] += variance
    squares = [distances[block] ** 2 / variance for block, variance in variances.items() if variance > 0]
    return Spread(sum(squares), len(squares))


def tempering(found: Spread, looks: int) -> float:
    """Return what the logarithm of evidence is divided by, given the number of blocks with data; at least 1."""
    noise = (PRIOR_LOOKS + found.squares) / (PRIOR_LOOKS + max(found.terms - 1, 0))
    return max(1.0, noise) * (1 + DOUBT / max(looks, 1))
