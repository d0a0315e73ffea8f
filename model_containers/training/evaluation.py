"""How good a model is, measured on the exported model itself."""

from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from . import graph
from .dataset import Days

Metrics = dict[str, float]


class Answered(NamedTuple):
    """A model's probabilities of rain, and whether it rained."""

    probability: NDArray[np.float64]
    rain: NDArray[np.int64]


def evaluate(model: onnx.ModelProto, days: Days) -> Metrics:
    """Run the model on days and measure its answers."""
    return measure(probabilities(model, days), days.rain)


def probabilities(model: onnx.ModelProto, days: Days) -> NDArray[np.float64]:
    """Return the model's probability of rain for each day."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (answer,) = session.run([graph.PROBABILITY], {graph.INPUT: days.measurements.astype(np.float32)})
    return np.asarray(answer, dtype=np.float64)


def measure(probability: NDArray[np.float64], rain: NDArray[np.int64]) -> Metrics:
    """Return accuracy, area under the ROC curve, and Brier score."""
    return {
        "accuracy": round(float(((probability >= graph.THRESHOLD) == rain).mean()), 4),
        "auc": round(float(roc_auc_score(rain, probability)), 4),
        "brier": round(float(((probability - rain) ** 2).mean()), 4),
    }
