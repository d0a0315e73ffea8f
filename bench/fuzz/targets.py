"""The models that the inputs are for: of numbers, of labels and numbers, and of a tensor; each served by a process."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from onnx import helper

from bench.errors import BenchError
from bench.servers import SERVING_CONTEXT, unpack_bootstrap
from model_containers.serving.serving.signature import Signature

NUMBERS, LABELS, TENSOR = "numbers", "labels", "tensor"
NAMES = (NUMBERS, LABELS, TENSOR)
MOST_ROWS = 200
"""Few, so that bodies with too many are no larger than need be."""

_START_SECONDS = 60.0
_STOP_SECONDS = 35.0
_OPSET, _IR_VERSION = 17, 8
_LABELS: dict[str, Any] = {
    "columns": [
        {"name": "size", "dtype": "float32", "minimum": -1000, "maximum": 1000},
        {"name": "colour", "dtype": "int64", "categories": ["red", "green, dark", '"blue"', "3"]},
        {"name": "doors", "dtype": "int64", "categories": [3, 5], "allow_missing": True},
    ],
    "sample": [[1.5, "red", 3]],
}
_TENSOR: dict[str, Any] = {"row_shape": [2, 3], "minimum": 0, "maximum": 1}


@dataclass(frozen=True)
class Served:
    """A model that is being served.

    Parameters
    ----------
    name
        One of `NAMES`.
    folder
        With ``model.onnx`` and ``signature.json``.
    port, pid
        Where, and by which process.
    """

    name: str
    folder: Path
    port: int
    pid: int

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""
        return Signature.load(self.folder / "signature.json")

    def get(self, path: str) -> tuple[int, str]:
        """Return the status and the text of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_START_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def rss_bytes(self) -> int:
        """Return the process's resident memory."""
        told = subprocess.run(["ps", "-o", "rss=", "-p", str(self.pid)], capture_output=True, text=True, check=True)
        return int(told.stdout) * 1024


def build(name: str, folder: Path) -> Path:
    """Write a model into a folder that is not there yet, and return it."""
    folder.mkdir(parents=True)
    if name == NUMBERS:
        return unpack_bootstrap(folder)
    fields, shape = (_LABELS, [3]) if name == LABELS else (_TENSOR, [2, 3])
    axes = list(range(1, len(shape) + 1))
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["score"], axes=axes, keepdims=0),
        helper.make_node("ReduceMax", ["x"], ["most"], axes=axes, keepdims=0),
    ]
    taken = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", *shape])
    given = [helper.make_tensor_value_info(each, onnx.TensorProto.FLOAT, ["n"]) for each in ("score", "most")]
    model = helper.make_model(helper.make_graph(nodes, name, [taken], given), producer_name="fuzz")
    model.opset_import[0].version, model.ir_version = _OPSET, _IR_VERSION
    onnx.save(model, str(folder / "model.onnx"))
    outputs = [{"name": each, "tensor": each} for each in ("score", "most")]
    signature = {"schema": 1, "tensor": "x", "outputs": outputs, **fields}
    (folder / "signature.json").write_text(json.dumps(signature), encoding="utf-8")
    return folder


@contextmanager
def serving(name: str, folder: Path) -> Iterator[Served]:
    """Serve a model by the container's program, started as its Dockerfile starts it.

    Raises
    ------
    BenchError
        If it does not come up, or did not end as it should when told to.
    """
    model, log = build(name, folder / name), folder / f"{name}.log"
    environment = {"SAGEMAKER_BIND_TO_PORT": "0", "SM_MODEL_DIR": str(model), "TIDEGATE_MAX_ROWS": str(MOST_ROWS)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving", "serve"],
            cwd=SERVING_CONTEXT,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Served(name, model, _port_when_ready(process, log), process.pid)
        process.terminate()
        status = process.wait(_STOP_SECONDS)
        if status != 0:
            raise BenchError(f"the server of {name} ended with status {status}: {log.read_text()[-1000:]}")
    finally:
        process.kill()
        process.wait()


def _port_when_ready(process: "subprocess.Popen[bytes]", log: Path) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        lines = [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        if any(line.get("message") == "ready" for line in lines):
            return next(int(line["port"]) for line in lines if "port" in line)
        time.sleep(0.02)
    raise BenchError(f"the server did not come up: {log.read_text()[-1000:]}")
