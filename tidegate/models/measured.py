"""What was measured of a version, wherever it was written down."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.retraining.verdicts import METRICS
from tidegate.models.files import Files
from tidegate.models.record import Record

ACCURACY = "accuracy"
LOWER_IS_BETTER = frozenset({"brier", "log_loss"})
BETTER, WORSE, SAME, CHANGED = "better", "worse", "same", "changed"


@dataclass(frozen=True)
class Measured:
    """What was measured of a version.

    Parameters
    ----------
    metrics
        Its own.
    champion
        Those of the version that it was compared with, on the same rows; empty where it was with none.
    rows
        What they were measured on, in a form that is the same for the same rows; None where that is not known.
    gain, p_value, least_gain
        Gain in accuracy over the champion, how likely one as large is by chance, and which gain was asked for.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    champion: Mapping[str, float] = field(default_factory=dict)
    rows: Mapping[str, Any] | None = None
    gain: float | None = None
    p_value: float | None = None
    least_gain: float | None = None


def of(record: Record, files: Files) -> Measured:
    """Return what was measured of a version: by the run that registered it, or as its card says."""
    found = files.json(record.quality_uri or record.beside("evaluation.json"))
    if "challenger" in found:
        return _of_evaluation(found)
    if not found:
        found = files.json(record.beside("card.json"))
    return _of_card(found) if found else Measured(_of_registry_card(record))


def accuracy(record: Record, files: Files) -> float | None:
    """Return a version's accuracy; None where it is not known. The registry's own card spares reading a file."""
    metrics = _of_registry_card(record) or of(record, files).metrics
    return metrics.get(ACCURACY)


def direction(name: str, change: float) -> str:
    """Return whether a change of a metric is for the better."""
    if change == 0:
        return SAME
    if name not in (*METRICS, *LOWER_IS_BETTER):
        return CHANGED
    return BETTER if (change < 0) == (name in LOWER_IS_BETTER) else WORSE


def _of_evaluation(found: Mapping[str, Any]) -> Measured:
    test, heldout = found.get("mcnemar") or {}, found.get("heldout")
    return Measured(
        metrics=_numbers(found.get("challenger")),
        champion=_numbers(found.get("champion")),
        rows=heldout if isinstance(heldout, Mapping) else None,
        gain=_number(found.get("gain")),
        p_value=_number(test.get("p_value")),
        least_gain=_number(found.get("least_gain")),
    )


def _of_card(card: Mapping[str, Any]) -> Measured:
    told = card.get("measured_on")
    if not isinstance(told, Mapping):
        return Measured(_numbers(card.get("metrics")))
    rows = {name: value for name, value in told.items() if name != "metrics"}
    return Measured(_numbers(told.get("metrics")), rows=rows or None)


def _of_registry_card(record: Record) -> dict[str, float]:
    """Return the metrics in a model card, whose schema is SageMaker's."""
    details = record.card.get("evaluation_details") or [{}]
    groups = [group for group in details[0].get("metric_groups") or () if group.get("name") == "challenger"]
    found = {each.get("name"): each.get("value") for group in groups for each in group.get("metric_data") or ()}
    return _numbers(found)


def _numbers(found: Any) -> dict[str, float]:
    if not isinstance(found, Mapping):
        return {}
    read = {str(name): _number(value) for name, value in found.items()}
    return {name: value for name, value in read.items() if value is not None}


def _number(value: Any) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else None
