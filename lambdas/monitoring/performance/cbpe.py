"""Accuracy before labels are known, from calibrated probabilities.

If a row's calibrated probability of being positive is p, a positive prediction is right with probability p and a
negative one with 1 - p. Added up, these are the expected cells of the confusion matrix: confidence-based performance
estimation. So the sums of p over the rows predicted positive and over those predicted negative are all it takes.

It holds as long as inputs move but the answer that belongs to an input does not. If *that* changes (concept drift),
probabilities mean something else, and only labels can tell.

Standard errors take rows as independent. The number of right answers then has the variance sum p (1 - p). Where that
sum is not known, or is needed for each predicted class by itself (precision, recall, F1), the rows of a class are taken
to have equal probabilities, t (1 - t) a row with t their mean, which is never less: such intervals are a little wide.
None includes how wrong the calibration is.

References
----------
NannyML's documentation, "Confidence-based Performance Estimation"; J. Białek and others (2024), Estimating model
performance under covariate shift without labels.
"""

from dataclasses import dataclass
from math import sqrt

from lambdas.monitoring.statistics.normal import quantile


@dataclass(frozen=True)
class Estimate:
    """A share that was estimated, with its standard error."""

    value: float
    standard_error: float

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two-sided interval, kept within 0..1."""
        half = quantile((1 + confidence) / 2) * self.standard_error
        return max(0.0, self.value - half), min(1.0, self.value + half)


@dataclass(frozen=True)
class Estimates:
    """What a model's quality is expected to be; None where it is not defined (nothing predicted positive)."""

    accuracy: Estimate
    precision: Estimate | None
    recall: Estimate | None
    f1: Estimate | None


def estimate(
    rows: int, predicted_positive: int, p_positive: float, p_negative: float, variance: float | None = None
) -> Estimates | None:
    """Estimate the quality of a binary model from sums.

    Parameters
    ----------
    rows
        How many rows have a probability.
    predicted_positive
        How many of them the model answered positively.
    p_positive, p_negative
        Sum of the calibrated probabilities over the rows answered positively, and over the others.
    variance
        Sum of p (1 - p) over all rows; None: bounded from the other sums.

    Returns
    -------
    Estimates or None
        None: there are no rows.
    """
    if rows <= 0:
        return None
    negative = rows - predicted_positive
    # Expected true and false positives and negatives, and the variances of the numbers of real positives on each side.
    tp, fp, fn, tn = p_positive, predicted_positive - p_positive, p_negative, negative - p_negative
    of_positive, of_negative = _variance(tp, predicted_positive), _variance(fn, negative)
    accuracy = Estimate(
        _within((tp + tn) / rows), sqrt(of_positive + of_negative if variance is None else max(variance, 0.0)) / rows
    )
    return Estimates(
        accuracy,
        precision=_precision(tp, predicted_positive, of_positive),
        recall=_recall(tp, fn, of_positive, of_negative),
        f1=_f1(tp, fp, fn, of_positive, of_negative),
    )


def _variance(expected: float, rows: int) -> float:
    return max(expected * (1 - expected / rows), 0.0) if rows else 0.0


def _within(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def _precision(tp: float, predicted: int, variance: float) -> Estimate | None:
    return Estimate(_within(tp / predicted), sqrt(variance) / predicted) if predicted else None


def _recall(tp: float, fn: float, of_tp: float, of_fn: float) -> Estimate | None:
    """Return tp / (tp + fn), its error by the delta method."""
    real = tp + fn
    if real <= 0:
        return None
    return Estimate(_within(tp / real), sqrt(fn**2 * of_tp + tp**2 * of_fn) / real**2)


def _f1(tp: float, fp: float, fn: float, of_tp: float, of_fn: float) -> Estimate | None:
    """Return 2 tp / (2 tp + fp + fn), its error by the delta method; tp + fp is known, not random."""
    whole = 2 * tp + fp + fn
    if whole <= 0:
        return None
    by_tp, by_fn = 2 * (tp + fp + fn) / whole**2, 2 * tp / whole**2
    return Estimate(_within(2 * tp / whole), sqrt(by_tp**2 * of_tp + by_fn**2 * of_fn))
