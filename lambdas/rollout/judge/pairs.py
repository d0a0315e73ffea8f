"""Is one share above what is tolerated? And can that be ruled out?

For answers of both versions to the same inputs the share is that of the inputs which they answer differently. For
labels it is McNemar's (1947): of the inputs that exactly one version got right, the share that the live one did; a half
where neither is better. For a version's own bad requests it is what an operator calls harmless.

The process is the likelihood ratio of Bernoulli trials (Wald 1945), x bad ones among n, against the bound t::

    x ln(p / t) + (n - x) ln((1 - p) / (1 - t))

*Harm* is its mean over p whose odds are psi times those of t (for t = 1/2: p = psi / (1 + psi)). *Assurance* is its
mean over p of 0, 1/4, 1/2 and 3/4 of t. One trial multiplies the first on average by at most 1 while the share is at
most t, the second while it is at least t, because the factor rises (falls) with the share and is 1 at t. So both are
e-processes, exactly, if each trial's chance is on the right side of t given the ones before it; how it moves on that
side does not matter. Answers come in clumps (a capture file holds alike inputs), so what decides is tempered by how
much the clumps differ: calibrated, not exact.

References
----------
Q. McNemar (1947), Note on the sampling error of the difference between correlated proportions or percentages.
"""

from collections.abc import Iterator
from math import log

from lambdas.rollout.judge.counts import Tally
from lambdas.rollout.judge.dispersion import Deviation, spread, tempering
from lambdas.rollout.judge.mixtures import BELOW, WORSE, log_mean, log_times


class Share:
    """A share of bad ones, held against what is tolerated.

    Parameters
    ----------
    tolerated
        The share above which it is harm; between 0 and 1.
    acceptable
        The share below which all is well; left out, the same.
    """

    def __init__(self, tolerated: float, acceptable: float | None = None) -> None:
        self._tolerated = tolerated
        self._acceptable = tolerated if acceptable is None else acceptable
        self._groups: list[tuple[int, Tally]] = []
        self._events = self._fine = 0

    def add(self, group: Tally, block: int | None = None) -> None:
        """Take in one period, or one clump of answers; those of one block come and go together."""
        if group.total <= 0:
            return
        self._groups.append((len(self._groups) if block is None else block, group))
        self._events += group.events
        self._fine += group.fine

    @property
    def looks(self) -> int:
        """How many blocks there are."""
        return len({block for block, _ in self._groups})

    @property
    def harm(self) -> float:
        """Log evidence that the share is above what is tolerated; untempered."""
        return log_mean(self._against(self._tolerated, worse_odds(self._tolerated, psi)) for psi in WORSE)

    @property
    def assurance(self) -> float:
        """Log evidence that the share is below what is acceptable; untempered."""
        return log_mean(self._against(self._acceptable, self._acceptable * part) for part in BELOW)

    def _against(self, bound: float, share: float) -> float:
        better = log_times(self._events, share / bound)
        return better + self._fine * log((1 - share) / (1 - bound))

    @property
    def dispersion(self) -> float:
        """What evidence is divided by, given how the blocks vary around the share that they have in common."""
        return tempering(spread(self._deviations()), self.looks)

    def _deviations(self) -> Iterator[Deviation]:
        mean = self._events / max(self._events + self._fine, 1)
        for block, group in self._groups:
            yield block, group.events - group.total * mean, group.total * mean * (1 - mean)


def worse_odds(share: float, times: float) -> float:
    """Return the share whose odds are so many times those of `share`; never past 1."""
    return share * times / (1 - share + share * times)
