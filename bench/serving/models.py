"""The models that every server serves: a tiny one, a heavy one, and one that only takes its time as a GPU would."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from bench.servers import unpack_bootstrap
from bench.serving.peers.bench_model import SLEEP_FILE
from model_containers.training import replay

TINY, HEAVY, GPU = "tiny", "heavy", "simulated-gpu"
NAMES = (TINY, HEAVY, GPU)
SLOW_GPU = "slow-gpu"
"""For overload: a GPU with so much to do that one core of HTTP is not the limit at five times its capacity."""

GPU_BATCH_SECONDS, GPU_ROW_SECONDS = 0.003, 0.0001
SLOWER = 4
MOST_CLIENTS = 256
"""Rows that a case has: one for each client, so that an answer that went to the wrong one is found out."""

_HIDDEN, _LAYERS, _WIDTH, _SEED = 2304, 2, 16, 7
_OPSET, _IR_VERSION = 17, 8


@dataclass(frozen=True)
class Case:
    """A model on disk, in the container's format, and what is sent to it.

    Parameters
    ----------
    name
        One of `NAMES`.
    folder
        With ``model.onnx`` and ``signature.json``.
    rows
        Shape (`MOST_CLIENTS`, columns), float32: each client's own.
    """

    name: str
    folder: Path
    rows: NDArray[np.float32]

    @property
    def outputs(self) -> list[str]:
        """The names of the outputs."""
        signature = json.loads((self.folder / "signature.json").read_text(encoding="utf-8"))
        return [each["name"] for each in signature["outputs"]]

    @property
    def sleeps(self) -> bool:
        """Whether the model is a simulated GPU."""
        return (self.folder / SLEEP_FILE).exists()


def build(name: str, folder: Path) -> Case:
    """Write a model, of `NAMES` or `SLOW_GPU`, into a folder that is not there yet."""
    folder.mkdir(parents=True)
    return _BUILDERS[name](folder)


def _tiny(folder: Path) -> Case:
    unpack_bootstrap(folder)
    first = replay.REPLAY.start
    lines = replay.rows(first, first + MOST_CLIENTS)
    return Case(TINY, folder, np.array([[float(cell) for cell in line.split(",")] for line in lines], dtype=np.float32))


def _heavy(folder: Path) -> Case:
    """A perceptron of 11 million weights: 64 rows take a core 5 to 20 ms, one row a millisecond or two."""
    random = np.random.default_rng(_SEED)
    sizes = [_WIDTH, *[_HIDDEN] * (_LAYERS + 1), 1]
    nodes, constants, tensor = [], [], "rows"
    for number, (inner, outer) in enumerate(pairwise(sizes)):
        weights = (random.standard_normal((inner, outer)) * np.sqrt(2 / inner)).astype(np.float32)
        constants += [numpy_helper.from_array(weights, f"weights{number}")]
        nodes += [helper.make_node("MatMul", [tensor, f"weights{number}"], [f"sum{number}"])]
        tensor = f"sum{number}"
        if outer != 1:
            nodes += [helper.make_node("Relu", [tensor], [f"layer{number}"])]
            tensor = f"layer{number}"
    nodes += [helper.make_node("Sigmoid", [tensor], ["score"])]
    return _write(HEAVY, folder, nodes, constants)


def _gpu(folder: Path) -> Case:
    return _sleeping(GPU, folder, 1)


def _slow_gpu(folder: Path) -> Case:
    return _sleeping(SLOW_GPU, folder, SLOWER)


def _sleeping(name: str, folder: Path, times_as_slow: int) -> Case:
    node = helper.make_node("ReduceMean", ["rows"], ["score"], axes=[1], keepdims=1)
    times = {"batch_seconds": times_as_slow * GPU_BATCH_SECONDS, "row_seconds": times_as_slow * GPU_ROW_SECONDS}
    (folder / SLEEP_FILE).write_text(json.dumps(times), encoding="utf-8")
    return _write(name, folder, [node], [])


def _write(name: str, folder: Path, nodes: Sequence[onnx.NodeProto], constants: Sequence[onnx.TensorProto]) -> Case:
    # A day's measurements have one decimal too, so that JSON bodies are as long as people's are.
    rows = np.random.default_rng(_SEED).uniform(-3, 3, (MOST_CLIENTS, _WIDTH)).round(2).astype(np.float32)
    onnx.save(_model(name, nodes, constants), str(folder / "model.onnx"))
    (folder / "signature.json").write_text(json.dumps(_signature(rows[0])), encoding="utf-8")
    return Case(name, folder, rows)


def _model(name: str, nodes: Sequence[onnx.NodeProto], constants: Sequence[onnx.TensorProto]) -> onnx.ModelProto:
    taken = helper.make_tensor_value_info("rows", onnx.TensorProto.FLOAT, ["n", _WIDTH])
    given = helper.make_tensor_value_info("score", onnx.TensorProto.FLOAT, ["n", 1])
    graph = helper.make_graph(list(nodes), name, [taken], [given], initializer=list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="bench")
    model.ir_version = _IR_VERSION
    return model


def _signature(sample: NDArray[np.float32]) -> dict[str, Any]:
    column = {"dtype": "float32", "minimum": -10.0, "maximum": 10.0, "allow_missing": False}
    return {
        "schema": 1,
        "tensor": "rows",
        "columns": [{"name": f"x{number}", **column} for number in range(_WIDTH)],
        "outputs": [{"name": "score", "tensor": "score"}],
        "sample": [[round(float(cell), 2) for cell in sample]],
    }


_BUILDERS: dict[str, Callable[[Path], Case]] = {TINY: _tiny, HEAVY: _heavy, GPU: _gpu, SLOW_GPU: _slow_gpu}
