"""Where something that was found begins to matter."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from lambdas.monitoring.assessment.finding import Severity


@dataclass(frozen=True)
class Floors:
    """Least sizes of an effect for it to be a moderate, and a severe, finding."""

    moderate: float
    severe: float

    def severity(self, size: float) -> Severity:
        """Return how bad an effect of a size is; `info` below both."""
        if size >= self.severe:
            return Severity.SEVERE
        return Severity.MODERATE if size >= self.moderate else Severity.INFO


@dataclass(frozen=True)
class Policy:
    """Rules of judgement.

    Parameters
    ----------
    drift
        Of PSI less its mean under no change.
    missing, unseen, accuracy
        Of the rise of a share of missing values, of a share of levels never seen in training, and of a drop of
        accuracy; all 0 to 1.
    level
        False discovery rate of drift over all features of a window.
    quality_level
        Level of each test of accuracy and of the domain classifier.
    power
        Chance with which a severe drift must be found for a window to be judged at all.
    groups
        Bins of PSI.
    broken_share
        Share of malformed lines, of rows with an unknown column, or of a column's values that are not finite, above
        which a window is suspect.
    broken_missing
        Rise of a column's share of missing values above which a window is suspect.
    volume_factor
        How many times more, or fewer, rows than usual make a window suspect.
    usual_windows
        How many earlier windows say what is usual.
    least_auc
        AUC of the domain classifier from which joint drift is a finding.
    baseline_max_age_days
        Age from which a baseline is stale.
    redacted
        Columns and outputs whose values are left out of captures, so that nothing can be said of them.
    """

    drift: Floors = Floors(0.02, 0.1)
    missing: Floors = Floors(0.02, inf)
    unseen: Floors = Floors(0.01, 0.1)
    accuracy: Floors = Floors(0.02, 0.05)
    level: float = 0.05
    quality_level: float = 0.01
    power: float = 0.8
    groups: int = 10
    broken_share: float = 0.01
    broken_missing: float = 0.2
    volume_factor: float = 5.0
    usual_windows: int = 24
    least_auc: float = 0.6
    baseline_max_age_days: float = 365.0
    redacted: frozenset[str] = frozenset()

    @classmethod
    def of(cls, floors: Mapping[str, float], baseline_max_age_days: float, redacted: Iterable[str] = ()) -> "Policy":
        """Return the rules with an endpoint's own floors of PSI (``moderate``, ``severe``) and age of a baseline."""
        drift = Floors(floors["moderate"], floors["severe"])
        return cls(drift=drift, baseline_max_age_days=baseline_max_age_days, redacted=frozenset(redacted))
