"""Version 1.1.0: the tree ensemble that does best on rows later than those it learnt from."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import graph, spreads
from .dataset import Days
from .evaluation import Metrics, measure

ROWS = range(8_000)
SEED = 20
WET_COLUMN = graph.index(1)
"""Where the probability of rain stands among those of the two classes."""

# Learn from what came before, measure on what came next: weather stations change, so a shuffled split would flatter.
FOLDS = ((range(4_000), range(4_000, 6_000)), (range(6_000), range(6_000, 8_000)))


def _boosting() -> GradientBoostingClassifier:
    return GradientBoostingClassifier(
        n_estimators=150, max_depth=4, learning_rate=0.05, subsample=0.5, min_samples_leaf=20, random_state=SEED
    )


def _forest() -> RandomForestClassifier:
    return RandomForestClassifier(n_estimators=120, min_samples_leaf=10, max_features=4, random_state=SEED)


CANDIDATES: dict[str, Callable[[], Any]] = {
    "logistic regression": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)),
    "random forest": _forest,
    "gradient boosting": _boosting,
}


def compare(days: Days) -> dict[str, Metrics]:
    """Return how each candidate does on the rows after those it learnt from, averaged over the folds."""
    return {name: _mean([_fold(make(), days, *fold) for fold in FOLDS]) for name, make in CANDIDATES.items()}


def best(scores: dict[str, Metrics]) -> str:
    """Return the candidate with the least Brier score."""
    return min(scores, key=lambda name: scores[name]["brier"])


def train(days: Days, version: str, candidate: str, answered: NDArray[np.int64] = WET_COLUMN) -> onnx.ModelProto:
    """Fit a candidate on all the days and return it as ONNX; `answered` is the class whose probability it gives."""
    fitted = CANDIDATES[candidate]().fit(spreads.widened(days.measurements), days.rain)
    width = spreads.matrix().shape[1]
    options = {id(fitted): {"zipmap": False}}
    exported = to_onnx(
        fitted, initial_types=[("widened", FloatTensorType([None, width]))], options=options, target_opset=graph.OPSETS
    ).graph
    nodes = [
        helper.make_node("MatMul", [graph.INPUT, "spreads"], ["widened"]),
        *exported.node,
        helper.make_node("Gather", [exported.output[1].name, "answered_column"], [graph.PROBABILITY], axis=1),
    ]
    constants = graph.initialisers({"spreads": spreads.matrix(), "answered_column": answered})
    return graph.model(nodes, [*exported.initializer, *constants], candidate.replace(" ", "_"), version)


def _fold(estimator: Any, days: Days, learn: range, check: range) -> Metrics:
    before, after = days.between(learn), days.between(check)
    estimator.fit(spreads.widened(before.measurements), before.rain)
    return measure(estimator.predict_proba(spreads.widened(after.measurements))[:, 1], after.rain)


def _mean(folds: list[Metrics]) -> Metrics:
    return {name: round(sum(fold[name] for fold in folds) / len(folds), 4) for name in folds[0]}
