"""One metric of the new version beside the live one's, period by period."""

from collections.abc import Iterable

from lambdas.rollout.judge.counts import Stratum, Tally
from lambdas.rollout.judge.dispersion import minute
from lambdas.rollout.judge.finding import Finding
from lambdas.rollout.judge.mixtures import log_mean
from lambdas.rollout.judge.pairs import Share
from lambdas.rollout.judge.rates import Rates


class Beside:
    """What the periods so far say of a metric.

    Parameters
    ----------
    metric
        Its name.
    margin
        How many times as bad as the live version is inferior.
    tolerated
        Share of bad requests below which a step may pass; None: only the ratio counts.
    """

    def __init__(self, metric: str, margin: float, tolerated: float | None = None) -> None:
        self._metric = metric
        self._rates = Rates(margin)
        self._own = Share(tolerated) if tolerated is not None else None
        self._new = self._live = Tally(0, 0)

    def add(self, stratum: Stratum) -> None:
        """Take in one period."""
        self._rates.add(stratum)
        if self._own:
            self._own.add(stratum.new, minute(stratum.at))
        self._new += stratum.new
        self._live += stratum.live

    @property
    def finding(self) -> Finding:
        """The evidence so far, tempered by how noisy the service turned out to be."""
        dispersion, harm = self._rates.dispersion, self._rates.harm
        return Finding(
            metric=self._metric,
            new=self._new,
            live=self._live,
            looks=self._rates.looks,
            harm=harm / dispersion,
            untempered=harm,
            assurance=self._assurance(self._rates.assurance / dispersion),
            dispersion=dispersion,
        )

    def _assurance(self, by_ratio: float) -> float:
        if self._own is None:
            return by_ratio
        return log_mean((by_ratio, self._own.assurance / self._own.dispersion))


def compared(metric: str, strata: Iterable[Stratum], margin: float, tolerated: float | None = None) -> Finding:
    """Return what all the periods say of a metric."""
    beside = Beside(metric, margin, tolerated)
    for stratum in strata:
        beside.add(stratum)
    return beside.finding
