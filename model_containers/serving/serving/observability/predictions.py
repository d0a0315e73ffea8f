"""What the model answers: how its numbers, its labels and its confidence are distributed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .exposition import Exposition
from .gathering import MAX_WIDTH, ROWS_OF_MANY, ROWS_OF_ONE, Gathering
from .histogram import Histogram, Tally
from .logs import LOGGER

VALUE_EDGES = (
    *(-1e6, -1e4, -1e3, -100, -10, -1, 0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1),
    *(2, 5, 10, 20, 50, 100, 200, 500, 1e3, 1e4, 1e5, 1e6),
)
"""Fine where probabilities lie, coarse elsewhere: the signature does not say what range a number has."""
CONFIDENCE_EDGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0)
MAX_LABELS = 32
MAX_LABEL_LENGTH = 64
OTHER = "other"
# Float16 probabilities of many classes add up to no more than nearly one.
_TOLERANCE = 0.01


@dataclass(frozen=True)
class Summary:
    """What is known of one output.

    Parameters
    ----------
    values
        Its numbers, where it is one number a row.
    confidence
        The probability of the class that is the likelier: p or 1 - p of a single one, the greatest of several.
    labels
        Rows by label, or by the index of the greatest of several scores.
    not_finite
        Rows with NaN or an infinity; they count nowhere else.
    probable
        Whether all numbers so far could be probabilities; if not, there is no confidence to speak of.
    """

    values: Tally
    confidence: Tally
    labels: Mapping[str, int]
    not_finite: int = 0
    probable: bool = True


class Predictions:
    """Counts all outputs; written by the device thread.

    Parameters
    ----------
    names
        The outputs' names in their order; without one an output goes by its number.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        # One an output, in order; None for what has no distribution worth showing.
        self._outputs: list[Gathering[Summary] | None] = []

    def add(self, outputs: Sequence[NDArray[Any]]) -> None:
        """Count one batch; shapes (rows,) or (rows, k)."""
        if len(self._outputs) != len(outputs):
            self._outputs = [_gathering(each) for each in outputs]
        for index, gathering in enumerate(self._outputs):
            if gathering is not None:
                output = outputs[index]
                try:
                    gathering.add(output if output.ndim == 1 or output.shape[1] > 1 else output[:, 0])
                except (IndexError, TypeError, ValueError) as error:  # no reason to fail the batch
                    self._outputs[index] = None
                    LOGGER.warning("an output changed its shape and is no longer counted", extra={"error": str(error)})

    def read(self) -> dict[str, Summary]:
        """Return what was counted so far, by output."""
        named = zip([*self._names, *map(str, range(len(self._names), len(self._outputs)))], self._outputs, strict=False)
        return {name: each.read() for name, each in named if each is not None}


def show(predictions: Predictions, exposition: Exposition) -> None:
    """Add the predictions' metrics."""
    found = predictions.read().items()
    sampled = f"Of a large batch every n-th row counts: up to {ROWS_OF_ONE}, of several numbers {ROWS_OF_MANY}."
    labels = ((name, label, count) for name, each in found for label, count in each.labels.items())
    exposition.counter(
        "tidegate_predictions_total",
        f"Rows by label, or by the index of the greatest score. {sampled}",
        [({"output": name, "label": label}, count) for name, label, count in labels],
    )
    exposition.histogram(
        "tidegate_prediction_value",
        f"Numbers that the model answered. {sampled}",
        [({"output": name}, each.values) for name, each in found if each.values.count],
    )
    exposition.histogram(
        "tidegate_prediction_confidence",
        f"Probability of the likelier class, for outputs that are probabilities. {sampled}",
        [({"output": name}, each.confidence) for name, each in found if each.probable and each.confidence.count],
    )
    exposition.counter(
        "tidegate_predictions_not_finite_total",
        "Rows with NaN or an infinity in the answer.",
        [({"output": name}, each.not_finite) for name, each in found],
    )


def _gathering(output: NDArray[Any]) -> Gathering[Summary] | None:
    width = output.shape[1] if output.ndim == 2 else 0
    zero = Summary(Histogram(VALUE_EDGES).read(), Histogram(CONFIDENCE_EDGES).read(), {})
    if output.ndim not in (1, 2) or width > MAX_WIDTH or (width == 0 and output.ndim == 2):
        return None
    if output.dtype.kind == "f":
        dtype = np.float64 if output.dtype == np.float64 else np.float32
        return Gathering(zero, _add_scores, width, dtype) if width > 1 else Gathering(zero, _add_numbers, 0, dtype)
    if width > 1:
        return None
    return Gathering(zero, _add_labels, 0, output.dtype if output.dtype.kind in "iub" else object)


def _add_numbers(before: Summary, rows: NDArray[Any]) -> Summary:
    finite = _sorted_finite(rows)
    probable = before.probable and (not len(finite) or bool(finite[0] >= 0 and finite[-1] <= 1))
    confidence = np.sort(np.maximum(finite, 1 - finite)) if probable else finite[:0]
    return replace(
        before,
        values=before.values + _tally(VALUE_EDGES, finite),
        confidence=before.confidence + _tally(CONFIDENCE_EDGES, confidence),
        not_finite=before.not_finite + len(rows) - len(finite),
        probable=probable,
    )


def _sorted_finite(rows: NDArray[Any]) -> NDArray[np.float64]:
    # Sorted in their own type, which is faster; infinities and NaN end up outside.
    ordered = np.sort(rows)
    if len(ordered) and not (np.isfinite(ordered[0]) and np.isfinite(ordered[-1])):
        ordered = ordered[np.isfinite(ordered)]
    return ordered.astype(np.float64)


def _add_scores(before: Summary, rows: NDArray[Any]) -> Summary:
    finite = rows[np.isfinite(rows).all(axis=1)]
    greatest = finite.max(axis=1)
    whole = np.abs(finite.sum(axis=1, dtype=np.float64) - 1) <= _TOLERANCE
    probable = before.probable and bool(whole.all() and (finite >= 0).all())
    return replace(
        before,
        confidence=before.confidence + _tally(CONFIDENCE_EDGES, np.sort(greatest) if probable else greatest[:0]),
        labels=_counted(before.labels, finite.argmax(axis=1).tolist()),
        not_finite=before.not_finite + len(rows) - len(finite),
        probable=probable,
    )


def _add_labels(before: Summary, rows: NDArray[Any]) -> Summary:
    return replace(before, labels=_counted(before.labels, rows.tolist()))


def _tally(edges: tuple[float, ...], ordered: NDArray[Any]) -> Tally:
    # Looking the few edges up among the many sorted values is a tenth of the work of the other way round.
    up_to = ordered.searchsorted(np.array(edges), side="right").tolist()
    counts = [right - left for left, right in pairwise([0, *up_to, len(ordered)])]
    return Tally(edges, tuple(counts), float(ordered.sum(dtype=np.float64)))


def _counted(before: Mapping[str, int], found: Iterable[object]) -> dict[str, int]:
    # A Counter keeps the order of first appearance, so that which labels have series of their own never changes.
    counts = dict(before)
    for each, count in Counter(found).items():
        label = str(each)[:MAX_LABEL_LENGTH]
        if label not in counts and len(counts) >= MAX_LABELS:
            label = OTHER
        counts[label] = counts.get(label, 0) + count
    return counts
