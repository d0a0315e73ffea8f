"""Is the new version's rate of bad requests higher than the live one's? And can that be ruled out?

In a period in which the new version answered n_c requests and the live one n_b, let q = n_c / (n_c + n_b), and let
e = e_c + e_b of them be bad. If the new version is psi times as bad, a bad request is one of its own with probability
q psi / (q psi + 1 - q). The likelihood ratio of psi against psi_0 therefore grows, period by period, by (Wald 1945;
for counts that compete, Lindon and Malek 2022)::

    e_c ln(psi / psi_0) - e [ln(q psi + 1 - q) - ln(q psi_0 + 1 - q)]

*Harm* takes psi_0 = 1 and means over psi > 1: evidence against "no worse". *Assurance* takes psi_0 = the margin and
means over psi below it: evidence against "at least so many times as bad".

What is exact
-------------
Let requests be independent given the period, let nobody choose a request's version by how it will be answered, and let
the mean probability of a bad one be p_c for the new version and p_b for the live one, different in every period. With
g = (q psi_0 + 1 - q) / (q psi + 1 - q) and x = psi / psi_0, a period multiplies the process on average by at most
(1 - p_c + p_c x g)^n_c (1 - p_b + p_b g)^n_b, and since 1 + y <= exp(y), by at most
exp(n [q p_c (x g - 1) + (1 - q) p_b (g - 1)]), which is 1 where p_c = psi_0 p_b, and less in the rest of the
hypothesis. So both are e-processes, at any number of requests, whatever the shared rate and the weights do from period
to period, and Ville's inequality holds for them at every look. This is about the untempered process; evidence that has
been divided by a dispersion is calibrated only, see :mod:`lambdas.rollout.judge.dispersion`.

References
----------
M. Lindon and A. Malek (2022), Anytime-valid inference for multinomial count data. N. Mantel and W. Haenszel (1959),
Statistical aspects of the analysis of data from retrospective studies of disease.
"""

from collections.abc import Iterator
from math import log

from lambdas.rollout.judge.counts import Stratum
from lambdas.rollout.judge.dispersion import Deviation, minute, spread, tempering
from lambdas.rollout.judge.mixtures import AS_GOOD, WORSE, log_mean


class Rates:
    """Two rates of bad requests, compared within each period and never across periods.

    Periods in which only one version answered carry nothing.

    Parameters
    ----------
    margin
        How many times as bad a version must be to count as inferior; more than 1.
    """

    def __init__(self, margin: float) -> None:
        self._margin = margin
        self._as_good = tuple(psi for psi in AS_GOOD if psi < margin)
        self._harm = [0.0] * len(WORSE)
        self._assurance = [0.0] * len(self._as_good)
        self._minutes: set[int] = set()
        self._bad: list[tuple[int, int, int, float]] = []  # minute; the new version's, all; its share of the requests
        self._new_weight = self._live_weight = self._one_more = 0.0

    def add(self, stratum: Stratum) -> None:
        """Take in one period."""
        new, live = stratum.new, stratum.live
        if new.total <= 0 or live.total <= 0:
            return
        self._minutes.add(minute(stratum.at))
        if new.events + live.events:
            share = new.total / (new.total + live.total)
            self._weigh(new.events, live.events, share)
            self._bad.append((minute(stratum.at), new.events, new.events + live.events, share))

    def _weigh(self, new: int, live: int, share: float) -> None:
        bad = new + live
        for index, psi in enumerate(WORSE):
            self._harm[index] += new * log(psi) - bad * log(share * psi + 1 - share)
        base = new * log(self._margin) - bad * log(share * self._margin + 1 - share)
        for index, psi in enumerate(self._as_good):
            self._assurance[index] += new * log(psi) - bad * log(share * psi + 1 - share) - base
        self._new_weight += new * (1 - share)
        self._live_weight += live * share
        self._one_more = share * (1 - share)

    @property
    def looks(self) -> int:
        """Minutes in which both versions answered."""
        return len(self._minutes)

    @property
    def harm(self) -> float:
        """Log evidence that the new version is worse; untempered."""
        return log_mean(self._harm)

    @property
    def assurance(self) -> float:
        """Log evidence that it is less than the margin times as bad; untempered."""
        return log_mean(self._assurance)

    @property
    def ratio(self) -> float:
        """How many times as bad the new version is: Mantel and Haenszel's ratio over the periods.

        One more bad request is shared out as the traffic is, so that the ratio stays finite.
        """
        if not self._one_more:
            return 1.0
        return (self._new_weight + self._one_more) / (self._live_weight + self._one_more)

    @property
    def dispersion(self) -> float:
        """What evidence is divided by, given how the minutes vary around the ratio that they have in common."""
        return tempering(spread(self._deviations()), self.looks)

    def _deviations(self) -> Iterator[Deviation]:
        ratio = self.ratio
        for block, new, bad, share in self._bad:
            chance = share * ratio / (share * ratio + 1 - share)
            yield block, new - bad * chance, bad * chance * (1 - chance)
