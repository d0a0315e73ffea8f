"""Puts ONNX models together: every version takes the same input and gives the same two outputs."""

from collections.abc import Mapping, Sequence

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

Constants = Mapping[str, NDArray[np.generic] | np.generic]


def initialisers(constants: Constants) -> list[onnx.TensorProto]:
    """Return named constants as ONNX initialisers."""
    return [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]


def model(
    nodes: Sequence[onnx.NodeProto], constants: Sequence[onnx.TensorProto], name: str, version: str
) -> onnx.ModelProto:
    """Return a checked model whose nodes lead from `INPUT` to `PROBABILITY`; the class is added here."""
    decide = [
        helper.make_node("GreaterOrEqual", [PROBABILITY, "threshold"], ["wet"]),
        helper.make_node("Cast", ["wet"], [RAIN], to=onnx.TensorProto.INT64),
    ]
    graph = helper.make_graph(
        [*nodes, *decide],
        name,
        [helper.make_tensor_value_info(INPUT, onnx.TensorProto.FLOAT, ["rows", len(FEATURES)])],
        [
            helper.make_tensor_value_info(PROBABILITY, onnx.TensorProto.FLOAT, ["rows"]),
            helper.make_tensor_value_info(RAIN, onnx.TensorProto.INT64, ["rows"]),
        ],
        initializer=[*constants, *initialisers({"threshold": np.float32(THRESHOLD)})],
    )
    opsets = [helper.make_opsetid(domain, number) for domain, number in OPSETS.items()]
    built = helper.make_model(graph, opset_imports=opsets, producer_name="tidegate", producer_version=version)
    built.ir_version = IR_VERSION
    onnx.checker.check_model(built, full_check=True)
    return built


def index(value: int) -> NDArray[np.int64]:
    """Return an index as ONNX's Gather takes it."""
    return np.array(value, dtype=np.int64)
