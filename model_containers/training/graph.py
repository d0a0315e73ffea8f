"""Puts ONNX models together: every version takes the same input and gives the same two outputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from .dataset import FEATURES

INPUT = "measurements"
PROBABILITY = "probability"
RAIN = "rain"
THRESHOLD = 0.5

OPSETS = {"": 17, "ai.onnx.ml": 3}
IR_VERSION = 8


@dataclass(frozen=True)
class Names:
    """What a model's input and outputs are called, how many columns a row has, and from which probability it says 1.

    Without a `prediction`, the model gives the probability only.
    """

    input: str = INPUT
    probability: str = PROBABILITY
    prediction: str | None = RAIN
    width: int = len(FEATURES)
    threshold: float = THRESHOLD


RAIN_NAMES = Names()

Constants = Mapping[str, NDArray[np.generic] | np.generic]


def initialisers(constants: Constants) -> list[onnx.TensorProto]:
    """Return named constants as ONNX initialisers."""
    return [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]


def model(
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto],
    name: str,
    version: str,
    names: Names = RAIN_NAMES,
) -> onnx.ModelProto:
    """Return a checked model whose nodes lead from its input to the probability; the class is added here."""
    decide, outputs = [], [helper.make_tensor_value_info(names.probability, onnx.TensorProto.FLOAT, ["rows"])]
    if names.prediction is not None:
        decide = [
            helper.make_node("GreaterOrEqual", [names.probability, "threshold"], ["wet"]),
            helper.make_node("Cast", ["wet"], [names.prediction], to=onnx.TensorProto.INT64),
        ]
        outputs.append(helper.make_tensor_value_info(names.prediction, onnx.TensorProto.INT64, ["rows"]))
    graph = helper.make_graph(
        [*nodes, *decide],
        name,
        [helper.make_tensor_value_info(names.input, onnx.TensorProto.FLOAT, ["rows", names.width])],
        outputs,
        initializer=[*constants, *initialisers({"threshold": np.float32(names.threshold)})],
    )
    opsets = [helper.make_opsetid(domain, number) for domain, number in OPSETS.items()]
    built = helper.make_model(graph, opset_imports=opsets, producer_name="tidegate", producer_version=version)
    built.ir_version = IR_VERSION
    onnx.checker.check_model(built, full_check=True)
    return built


def index(value: int) -> NDArray[np.int64]:
    """Return an index as ONNX's Gather takes it."""
    return np.array(value, dtype=np.int64)
