"""What was found about one metric, in numbers and in words."""

from dataclasses import dataclass
from math import exp, log

from lambdas.rollout.judge.counts import Tally
from lambdas.rollout.judge.incomparable import Obstacle

MOST_ODDS = 1e9


@dataclass(frozen=True)
class Finding:
    """The evidence about one metric.

    Parameters
    ----------
    metric
        ``5xx``, ``latency``, ``answers`` or ``labels``.
    new
        Bad requests of the new version, over all periods. For answers: differing ones of those compared. For labels:
        those that the live version alone got right, of those that exactly one did.
    live
        The same of the live version; None where there is nothing beside it.
    looks
        Minutes (for answers and labels: groups) in which the versions could be compared.
    harm
        Log evidence that the new version is worse, tempered.
    untempered
        The same, not tempered.
    assurance
        Log evidence that it is no worse than is tolerated, tempered.
    dispersion
        What `harm` was divided by.
    obstacle
        Why nothing has been counted, where that is known and waiting does not change it.
    """

    metric: str
    new: Tally
    live: Tally | None
    looks: int
    harm: float
    untempered: float
    assurance: float
    dispersion: float
    obstacle: Obstacle | None = None

    @property
    def counts(self) -> str:
        """What was counted: ``5xx 31/1,204 vs 204/22,870``."""
        beside = f" vs {self.live}" if self.live else ""
        return f"{self.metric} {self.new}{beside}"

    @property
    def against(self) -> str:
        """The counts with the evidence that the new version is worse."""
        return f"{self.counts}, evidence that it is worse {odds(self.harm)}"

    @property
    def in_favour(self) -> str:
        """The counts with the evidence that it is not."""
        return f"{self.counts}, evidence that it is not worse {odds(self.assurance)}"

    def __str__(self) -> str:
        """Say what was counted and the stronger of the two evidences, or why nothing was."""
        if self.obstacle is not None:
            return f"{self.counts}: {self.obstacle}"
        if max(self.harm, self.assurance) <= 0:
            return f"{self.counts}, no evidence yet"
        return self.against if self.harm > self.assurance else self.in_favour

    @property
    def numbers(self) -> dict[str, object]:
        """The finding in plain form, as it is stored; evidence as natural logarithms."""
        live = [self.live.events, self.live.total] if self.live else None
        return {
            "metric": self.metric,
            "new": [self.new.events, self.new.total],
            "live": live,
            "looks": self.looks,
            "log_harm": round(self.harm, 3),
            "log_harm_untempered": round(self.untempered, 3),
            "log_assurance": round(self.assurance, 3),
            "dispersion": round(self.dispersion, 3),
            "text": str(self),
        }


def odds(evidence: float) -> str:
    """Return log evidence as people bet: ``412:1``."""
    if evidence > log(MOST_ODDS):
        return f"more than {MOST_ODDS:,.0f}:1"
    value = exp(evidence)
    return f"{value:,.0f}:1" if value >= 10 else f"{value:.1f}:1"
