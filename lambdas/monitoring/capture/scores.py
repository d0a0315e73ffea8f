"""Predictions beside what is known of them: confidence, estimated and measured performance, by slice."""

from collections.abc import Sequence

from lambdas.monitoring.capture.layout import Cell
from lambdas.monitoring.capture.reading import Reading
from lambdas.monitoring.profile.classes import class_name, is_positive
from lambdas.monitoring.profile.performance import PerformanceSums
from lambdas.monitoring.profile.window import WindowCounts

POSITIVE, NEGATIVE = "1", "0"


class Scores:
    """Adds a window's predictions to its sums.

    Parameters
    ----------
    into
        Is added to.
    reading
        Says which output is what. Without a prediction and a probability among them, nothing is added.
    """

    def __init__(self, into: WindowCounts, reading: Reading) -> None:
        roles, places = reading.output_roles, reading.outputs.places
        self._into = into
        self._probability = places.get(roles.probability, -1) if roles.probability else -1
        self._prediction = places.get(roles.prediction, -1) if roles.prediction else -1
        self._threshold = roles.threshold
        self._calibration = reading.baseline.calibration
        self._slicers = reading.slicers
        self._confidences: list[float | None] = []

    def add(
        self, rows: Sequence[Sequence[Cell]], answers: Sequence[Sequence[Cell]], labels: Sequence[str] | None
    ) -> None:
        """Count a request's rows, with their answers and labels."""
        if self._probability < 0 and self._prediction < 0:
            return
        for index, answer in enumerate(answers):
            probability = self._probability_in(answer)
            if self._probability >= 0:
                self._confidences.append(None if probability is None else max(probability, 1.0 - probability))
            predicted = self._predicted(answer, probability)
            if predicted is None:
                continue
            calibrated = None
            if probability is not None and self._calibration is not None:
                calibrated = self._calibration(probability)
            label = None if labels is None else _truth(labels[index])
            for sums in self._sums_of(rows[index]):
                sums.add(predicted, probability, calibrated, label)

    def flush(self) -> None:
        """Count the confidences that are kept."""
        if self._into.confidence is not None and self._confidences:
            self._into.confidence.add_many(self._confidences)
        self._confidences = []

    def _sums_of(self, row: Sequence[Cell]) -> list[PerformanceSums]:
        sums = [self._into.performance]
        for slicer in self._slicers:
            part = self._into.slice(slicer.name_of(row[slicer.place]))
            part.rows += 1
            sums.append(part.performance)
        return sums

    def _probability_in(self, answer: Sequence[Cell]) -> float | None:
        """Return the probability of the positive class; None when there is none, or what is there is none."""
        found = answer[self._probability] if self._probability >= 0 else None
        return found if type(found) is float and 0.0 <= found <= 1.0 else None

    def _predicted(self, answer: Sequence[Cell], probability: float | None) -> bool | None:
        found = answer[self._prediction] if self._prediction >= 0 else None
        if type(found) is float:
            return found == 1.0 if found == found else None
        if found is not None:
            return is_positive(found)
        return None if probability is None else probability >= self._threshold


def _truth(label: str) -> bool:
    if label in (POSITIVE, NEGATIVE):  # nearly always
        return label == POSITIVE
    return class_name(label) == POSITIVE
