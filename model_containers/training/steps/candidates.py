"""What a challenger may be: an algorithm, and which rows it learns from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import compose, helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model_containers.training import graph

from .tables import Rows

SEED = 20
LEAST_ROWS, LEAST_OF_A_LABEL = 150, 10
"""Fewer cannot be learnt from."""

SINCE, ALL = "rows since the drift", "all rows"

ALGORITHMS: dict[str, Callable[[], Any]] = {
    "logistic regression": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)),
    "gradient boosting": lambda: GradientBoostingClassifier(
        n_estimators=150, max_depth=3, learning_rate=0.05, subsample=0.5, min_samples_leaf=20, random_state=SEED
    ),
}


@dataclass(frozen=True)
class Candidate:
    """An algorithm and the rows that it learns from."""

    algorithm: str
    learns_from: str

    @property
    def name(self) -> str:
        """What it is called in checkpoints, the log and the model card."""
        return f"{self.algorithm} on {self.learns_from}"

    def chosen(self, rows: Rows, since: float | None) -> Rows:
        """Return those of the rows that it learns from."""
        return rows if self.learns_from == ALL or since is None else rows.where(rows.at >= since)

    def fitted(self, rows: Rows) -> Any:
        """Fit it, in the 32-bit floats of the exported model: trees split between values as it sees them."""
        return ALGORITHMS[self.algorithm]().fit(rows.values.astype(np.float32), rows.labels)


def candidates(since: float | None) -> Iterator[Candidate]:
    """Yield what is compared; without a moment at which the drift began there is one choice of rows."""
    for algorithm in ALGORITHMS:
        for learns_from in (ALL,) if since is None else (SINCE, ALL):
            yield Candidate(algorithm, learns_from)


def learnable(rows: Rows) -> bool:
    """Return whether a candidate can be fitted to rows: there are enough, and some of each label."""
    positive = int(rows.labels.sum())
    return len(rows) >= LEAST_ROWS and min(positive, len(rows) - positive) >= LEAST_OF_A_LABEL


def probabilities(fitted: Any, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of label 1 of each row."""
    answers: NDArray[np.float64] = fitted.predict_proba(values.astype(np.float32))[:, 1]
    return answers


def exported(fitted: Any, names: graph.Names, name: str, version: str) -> onnx.ModelProto:
    """Return a fitted candidate as ONNX with the input and the outputs that the champion has."""
    converted = to_onnx(
        fitted,
        initial_types=[("rows", FloatTensorType([None, names.width]))],
        options={id(fitted): {"zipmap": False}},
        target_opset=graph.OPSETS,
    ).graph
    # So that no name within it is one of the champion's.
    inner = compose.add_prefix_graph(converted, "fitted_")
    nodes = [
        helper.make_node("Identity", [names.input], [inner.input[0].name]),
        *inner.node,
        helper.make_node("Gather", [inner.output[1].name, "answered_column"], [names.probability], axis=1),
    ]
    constants = graph.initialisers({"answered_column": graph.index(1)})
    return graph.model(nodes, [*inner.initializer, *constants], name.replace(" ", "_"), version, names)
