"""How well a model does, from labels, and whether that is worse than it was.

References
----------
E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference, for the intervals.
"""

from dataclasses import dataclass
from math import sqrt

from lambdas.monitoring.statistics.normal import survival, wilson


@dataclass(frozen=True)
class Confusion:
    """How many labelled rows were answered rightly and wrongly, by answer and truth."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def rows(self) -> int:
        """How many are labelled."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def right(self) -> int:
        """How many were answered rightly."""
        return self.tp + self.tn


@dataclass(frozen=True)
class Measured:
    """A share that was counted: how often, of how many, and its interval of 95 %."""

    successes: int
    trials: int

    @property
    def value(self) -> float:
        """The share."""
        return self.successes / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson interval."""
        return wilson(self.successes, self.trials)


def measured(confusion: Confusion) -> dict[str, Measured]:
    """Return accuracy, precision and recall, each only if there is something to count it on."""
    shares = {
        "accuracy": Measured(confusion.right, confusion.rows),
        "precision": Measured(confusion.tp, confusion.tp + confusion.fp),
        "recall": Measured(confusion.tp, confusion.tp + confusion.fn),
    }
    return {name: share for name, share in shares.items() if share.trials}


def drop_p_value(before: float, before_error: float, now: float, now_error: float) -> float:
    """Return the chance of at least such a drop if nothing had changed, by the normal approximation.

    Parameters
    ----------
    before, now
        The two shares.
    before_error, now_error
        Their standard errors. Where both are 0, a drop is certain.
    """
    error = sqrt(before_error**2 + now_error**2)
    if not error:
        return 0.0 if now < before else 1.0
    return survival((before - now) / error)


def standard_error(share: float, trials: float) -> float:
    """Return the standard error of a share, with two successes and two failures added (Agresti and Coull 1998).

    Without them it would be 0 where all went right, as if that were certain of ever more trials.
    """
    if trials <= 0:
        return 0.5
    steadied = (share * trials + 2) / (trials + 4)
    return sqrt(steadied * (1 - steadied) / (trials + 4))
