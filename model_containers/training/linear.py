"""Version 1.0.0, the bootstrap: a plain logistic regression."""

import numpy as np
import onnx
from onnx import helper
from sklearn.linear_model import LogisticRegression

from . import graph
from .dataset import Days

ROWS = range(4_000)


def train(days: Days, version: str) -> onnx.ModelProto:
    """Fit the regression and return it as ONNX."""
    mean, deviation = days.measurements.mean(axis=0), days.measurements.std(axis=0)
    fitted = LogisticRegression(tol=1e-8, max_iter=1_000).fit((days.measurements - mean) / deviation, days.rain)
    # The standardisation is folded into the weights: one multiplication serves.
    weights = fitted.coef_[0] / deviation
    bias = fitted.intercept_[0] - float(weights @ mean)
    nodes = [
        helper.make_node("Gemm", [graph.INPUT, "weights", "bias"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["column"]),
        helper.make_node("Squeeze", ["column", "axis"], [graph.PROBABILITY]),
    ]
    constants = graph.initialisers(
        {
            "weights": weights.reshape(-1, 1).astype(np.float32),
            "bias": np.array([bias], dtype=np.float32),
            "axis": np.array([1], dtype=np.int64),
        }
    )
    return graph.model(nodes, constants, "linear", version)
