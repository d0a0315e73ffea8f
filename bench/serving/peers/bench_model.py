"""The model that every peer serves, and how its bodies are read: all that the peers' programs share.

Runs in a peer's own virtual environment, so it needs nothing but NumPy and ONNX Runtime.
"""

import io
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BATCH = 64
SLEEP_FILE = "sleep.json"
"""Beside ``model.onnx`` when the model is a simulated GPU: ``{"batch_seconds": ..., "row_seconds": ...}``."""

Outputs = tuple[NDArray[Any], ...]


class SleepingModel:
    """A GPU as its server sees it: a batch takes its time, and no processor.

    Parameters
    ----------
    folder
        With `SLEEP_FILE`.
    """

    def __init__(self, folder: Path) -> None:
        times = json.loads((folder / SLEEP_FILE).read_text(encoding="utf-8"))
        self._batch, self._row = float(times["batch_seconds"]), float(times["row_seconds"])

    def run(self, rows: NDArray[np.float32]) -> Outputs:
        """Sleep for as long as the batch takes; the answer is each row's mean."""
        time.sleep(self._batch + self._row * len(rows))
        return (rows.mean(axis=1),)


class OnnxModel:
    """A model on ONNX Runtime with one thread.

    Parameters
    ----------
    folder
        With ``model.onnx`` and ``signature.json``.
    """

    def __init__(self, folder: Path) -> None:
        import onnxruntime  # a sleeping model's server does not load it

        signature = _signature(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tensor = signature["tensor"]
        self._outputs = [each["tensor"] for each in signature["outputs"]]

    def run(self, rows: NDArray[np.float32]) -> Outputs:
        """Return each output, one value a row."""
        results = self._session.run(self._outputs, {self._tensor: rows})
        return tuple(np.asarray(each).reshape(len(rows)) for each in results)


Model = OnnxModel | SleepingModel


def folder_given() -> Path:
    """Return the model's folder, which the benchmark hands over as it does to the container."""
    return Path(os.environ["SM_MODEL_DIR"])


def format_given() -> str:
    """Return the format that this server is started for: ``json`` or ``npy``."""
    return os.environ["BENCH_FORMAT"]


def port_given() -> int:
    """Return the port to listen on."""
    return int(os.environ["BENCH_PORT"])


def load(folder: Path) -> Model:
    """Return the folder's model, after one run as everybody warms up."""
    model: Model = SleepingModel(folder) if (folder / SLEEP_FILE).exists() else OnnxModel(folder)
    model.run(np.array(_signature(folder)["sample"], dtype=np.float32))
    return model


def output_names(folder: Path) -> list[str]:
    """Return the names of the outputs."""
    return [each["name"] for each in _signature(folder)["outputs"]]


def read_npy(body: bytes) -> NDArray[np.float32]:
    """Return the rows of an npy body."""
    return np.asarray(np.load(io.BytesIO(body), allow_pickle=False), dtype=np.float32)


def write_npy(outputs: Sequence[NDArray[Any]]) -> bytes:
    """Return an npy body with one row for each row, one column for each output."""
    body = io.BytesIO()
    np.save(body, np.column_stack(outputs).astype(np.float32))
    return body.getvalue()


def predictions(names: Sequence[str], outputs: Sequence[NDArray[Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the answer as it goes into JSON."""
    columns = [each.tolist() for each in outputs]
    return {"predictions": [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]}


def split(outputs: Sequence[NDArray[Any]], sizes: Sequence[int]) -> list[Outputs]:
    """Return each request's own part of a batch's outputs."""
    ends = np.cumsum(sizes)
    return [tuple(each[end - size : end] for each in outputs) for end, size in zip(ends, sizes, strict=True)]


def _signature(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "signature.json").read_text(encoding="utf-8"))
    return content
