"""Measures a model's quality and calibration on the baseline's labelled rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite

from lambdas.monitoring.profile.calibration import Calibration
from lambdas.monitoring.profile.classes import class_name, is_positive
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.quality import OutputRoles, Quality
from lambdas.monitoring.profile.reading import Cell

MOST_CHUNKS = 30
ROWS_A_CHUNK = 100


@dataclass(frozen=True)
class Labelled:
    """Of rows with a label: whether each prediction was right; probabilities, and the outcome to each."""

    right: list[bool] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    outcomes: list[bool] = field(default_factory=list)


def labelled_rows(outputs: Mapping[str, Sequence[Cell]], labels: Sequence[Cell | bool], roles: OutputRoles) -> Labelled:
    """Compare predictions with labels; rows without a label, or without a usable output, are left out.

    Raises
    ------
    ProfileError
        If the roles name no output to compare, or a probability is outside 0..1.
    """
    probabilities, predictions = _output(outputs, roles.probability), _output(outputs, roles.prediction)
    if probabilities is None and predictions is None:
        raise ProfileError("output_roles", roles, "with labels, name the output that is a probability or prediction")
    rows = Labelled()
    for index, label in enumerate(labels):
        if label is None:
            continue
        p = _probability(probabilities[index]) if probabilities else None
        predicted = class_name(predictions[index]) if predictions else _predicted(p, roles.threshold)
        if predicted is not None:
            rows.right.append(predicted == class_name(label))
        if p is not None:
            rows.probabilities.append(p)
            rows.outcomes.append(bool(is_positive(label)))
    return rows


def measured(rows: Labelled) -> Quality | None:
    """Return the quality, None without labelled rows; chunks are equal, of at least 100 rows, and at most 30."""
    if not rows.right:
        return None
    count = len(rows.right)
    chunks = min(MOST_CHUNKS, count // ROWS_A_CHUNK)
    ends = [count * chunk // chunks for chunk in range(chunks + 1)] if chunks > 1 else [0]
    accuracies = tuple(sum(rows.right[a:b]) / (b - a) for a, b in pairwise(ends))
    squares = [(p - outcome) ** 2 for p, outcome in zip(rows.probabilities, rows.outcomes, strict=True)]
    return Quality(sum(rows.right) / count, sum(squares) / len(squares) if squares else None, count, accuracies)


def calibrated(rows: Labelled) -> Calibration | None:
    """Return the calibration; None without labelled probabilities."""
    return Calibration.of(rows.probabilities, rows.outcomes) if rows.probabilities else None


def _output(outputs: Mapping[str, Sequence[Cell]], name: str | None) -> Sequence[Cell] | None:
    return None if name is None else outputs.get(name)


def _probability(value: Cell) -> float | None:
    if value is None or (isinstance(value, float) and not isfinite(value)):
        return None
    if isinstance(value, str) or not 0 <= value <= 1:
        raise ProfileError("probability", value, "it must lie within 0..1; correct output_roles.probability")
    return float(value)


def _predicted(probability: float | None, threshold: float) -> str | None:
    return None if probability is None else str(int(probability >= threshold))
