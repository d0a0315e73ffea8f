"""Models, signatures and settings of the device tests."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from model_containers.serving.serving.device import engines
from model_containers.serving.serving.signature import Signature

KEY = engines.EngineKey("86", "10.13.3", "1.31.1")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a device takes from the settings."""

    device: str = "auto"
    intra_op_threads: int = 1
    gpu: int = 0
    precision: str = "fp16"
    max_batch_rows: int = 64
    cuda_graphs: bool = True
    engine_cache: Path = Path("/nonexistent")


def signature(width=3, outputs=("y",), **more):
    columns = [{"name": f"c{each}", "dtype": "float32"} for each in range(width)]
    given = [{"name": each, "tensor": each} for each in outputs]
    sample = [[float(each) for each in range(1, width + 1)]]
    return Signature.from_dict(
        {"schema": 1, "tensor": "x", "columns": columns, "outputs": given, "sample": sample} | more
    )


@pytest.fixture
def options(tmp_path):
    """Settings with an engine cache of the test's own."""
    return lambda **changes: Options(**({"engine_cache": tmp_path / "cache"} | changes))


@pytest.fixture
def folder(tmp_path):
    """A model's folder whose ONNX file only the fake runtime can read."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"a model")
    return folder


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """The key that the machine seems to have."""
    monkeypatch.setattr(engines, "detect", lambda gpu, onnxruntime: KEY)


@pytest.fixture
def write_model(tmp_path):
    """Write a real model of rows of 3 into a folder; return the folder."""

    def write(nodes, outputs, inputs=(("x", ["rows", 3]),), constants=None):
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes,
            "test",
            [value(name, onnx.TensorProto.FLOAT, shape) for name, shape in inputs],
            [value(name, kind, shape) for name, kind, shape in outputs],
            initializer=[numpy_helper.from_array(np.asarray(each), name) for name, each in (constants or {}).items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        folder = tmp_path / "real"
        folder.mkdir()
        onnx.save(model, str(folder / "model.onnx"))
        return folder

    return write
