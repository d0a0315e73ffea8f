"""Brings the columns of a table to one scale within the model, so that eight bits do for all of them.

TensorRT quantises a whole tensor with one scale. A row of measurements holds a pressure of 1,013 mbar beside a
visibility of 5 miles: one step of that scale, 8, is more than all that visibility says. So the model subtracts each
column's mean and divides by its deviation in float, and the matrix that follows undoes it:
``x W + b = ((x - m) / d) (d W) + (b + m W)``.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

PREFIX = "int8_"


def with_one_scale(model: onnx.ModelProto, rows: NDArray[np.float32]) -> onnx.ModelProto:
    """Return the model with its first matrix product rewritten so; unchanged if it does not begin with one.

    Parameters
    ----------
    model
        Takes one input.
    rows
        Of shape (rows, columns): what means and deviations are taken from.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    if len(graph.input[0].type.tensor_type.shape.dim) != 2:
        return changed
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    for position, node in enumerate(graph.node):
        if node.op_type in ("Gemm", "MatMul") and node.input[0] == graph.input[0].name and _is_plain(node, constants):
            graph.node.remove(node)
            for offset, replacement in enumerate(_rewritten(graph, node, constants, rows)):
                graph.node.insert(position + offset, replacement)
            _drop_unused(graph)
            return changed
    return changed


def _is_plain(node: onnx.NodeProto, constants: dict[str, NDArray[np.generic]]) -> bool:
    """Return whether a node is the product of its input with a constant matrix, plus perhaps a constant."""
    return (
        not node.attribute and all(name in constants for name in node.input[1:]) and constants[node.input[1]].ndim == 2
    )


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    for each in [each for each in graph.initializer if each.name not in used]:
        graph.initializer.remove(each)


def _rewritten(
    graph: onnx.GraphProto, node: onnx.NodeProto, constants: dict[str, NDArray[np.generic]], rows: NDArray[np.float32]
) -> list[onnx.NodeProto]:
    exact = rows.astype(np.float64)
    mean, deviation = exact.mean(axis=0), exact.std(axis=0)
    deviation[deviation == 0] = 1.0
    weights = constants[node.input[1]].astype(np.float64)
    bias = constants[node.input[2]].astype(np.float64) if len(node.input) > 2 else np.zeros(weights.shape[1])
    added = {
        "mean": mean,
        "deviation": deviation,
        "weights": deviation[:, None] * weights,
        "bias": bias + mean @ weights,
    }
    for name, value in added.items():
        graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), PREFIX + name))
    names = {name: PREFIX + name for name in (*added, "centred", "levelled")}
    return [
        helper.make_node("Sub", [node.input[0], names["mean"]], [names["centred"]]),
        helper.make_node("Div", [names["centred"], names["deviation"]], [names["levelled"]]),
        helper.make_node("Gemm", [names["levelled"], names["weights"], names["bias"]], list(node.output)),
    ]
