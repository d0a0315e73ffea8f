"""Sums over rows from which a model's performance follows, with labels or before they come."""

from __future__ import annotations

from dataclasses import dataclass, fields

from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.reading import Fields


@dataclass
class PerformanceSums:
    """Mutable: sums of a binary model's rows.

    Parameters
    ----------
    n
        Rows with a prediction.
    predicted_positive
        Those predicted positive.
    calibrated_rows
        Rows with a calibrated probability: those that the next three sums are over.
    calibrated_positive
        Those of them predicted positive.
    calibrated_over_positive, calibrated_over_negative
        Sum of the calibrated probabilities over rows predicted positive, and over the others: all that CBPE needs
        for accuracy, precision, recall and F1.
    calibrated_variance
        Sum of ``p * (1 - p)``: the variance of the number of right predictions.
    labelled
        Rows whose label has come.
    tp, fp, tn, fn
        Labelled rows by prediction and label.
    scored, brier_sum
        Labelled rows with a probability, and the sum over them of ``(p - label)**2``, of the model's own `p`.
    unknown_ids
        Labels whose row was not found.
    """

    n: int = 0
    predicted_positive: int = 0
    calibrated_rows: int = 0
    calibrated_positive: int = 0
    calibrated_over_positive: float = 0.0
    calibrated_over_negative: float = 0.0
    calibrated_variance: float = 0.0
    labelled: int = 0
    tp: int = 0
    fp: int = 0
    tn: int = 0
    fn: int = 0
    scored: int = 0
    brier_sum: float = 0.0
    unknown_ids: int = 0

    def add(
        self,
        predicted: bool,
        probability: float | None = None,
        calibrated: float | None = None,
        label: bool | None = None,
    ) -> None:
        """Count a row.

        Parameters
        ----------
        predicted
            Whether the positive class was predicted.
        probability
            The model's own, of the positive class; None without one.
        calibrated
            The same through the baseline's calibration; None without one.
        label
            Whether the label is the positive class; None until it comes.
        """
        self.n += 1
        self.predicted_positive += predicted
        if calibrated is not None:
            self._add_calibrated(predicted, calibrated)
        if label is not None:
            self.add_label(predicted, probability, label)

    def add_label(self, predicted: bool, probability: float | None, label: bool) -> None:
        """Count the label of a row that was counted before."""
        self.labelled += 1
        if predicted:
            self.tp += label
            self.fp += not label
        else:
            self.fn += label
            self.tn += not label
        if probability is not None:
            self.scored += 1
            self.brier_sum += (probability - label) ** 2

    def merge(self, other: PerformanceSums) -> PerformanceSums:
        """Add another's sums to these, and return these."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))
        return self

    def to_json(self) -> dict[str, object]:
        """Return the sums for JSON."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_json(cls, value: object, where: str = "performance") -> PerformanceSums:
        """Read sums; raises `ProfileError` where they are malformed."""
        read = Fields(value, where)
        sums = cls()
        for item in fields(cls):
            whole = isinstance(item.default, int)
            setattr(sums, item.name, read.integer(item.name) if whole else read.number(item.name))
        if sums.tp + sums.fp + sums.tn + sums.fn != sums.labelled or sums.predicted_positive > sums.n:
            raise ProfileError(
                read.path("labelled"), sums.labelled, "tp, fp, tn and fn must add up to it; count the window anew"
            )
        return sums

    def _add_calibrated(self, predicted: bool, calibrated: float) -> None:
        self.calibrated_rows += 1
        self.calibrated_variance += calibrated * (1 - calibrated)
        if predicted:
            self.calibrated_positive += 1
            self.calibrated_over_positive += calibrated
        else:
            self.calibrated_over_negative += calibrated
