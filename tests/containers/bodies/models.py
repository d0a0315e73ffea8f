"""Small models that the body tests speak of, and bodies for them."""

import io
import json
from typing import Any

import numpy as np

from model_containers.serving.serving.bodies.formats import Formats
from model_containers.serving.serving.bodies.v2.protocol import InferenceProtocol
from model_containers.serving.serving.guard import Guard
from model_containers.serving.serving.problems import ProblemError
from model_containers.serving.serving.signature import Signature

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"
LINES, NDJSON = "application/jsonlines", "application/x-ndjson"
OUTPUTS = [{"name": "probability", "tensor": "p"}, {"name": "rain", "tensor": "r"}]
MAX_ROWS = 3


def signature(**fields: Any) -> Signature:
    return Signature.from_dict({"schema": 1, "tensor": "x", "outputs": OUTPUTS} | fields)


NUMBERS = signature(
    columns=[{"name": "a", "dtype": "float32"}, {"name": "b", "dtype": "int64", "allow_missing": True}], sample=[[1, 2]]
)
LABELS = signature(
    columns=[
        {"name": "a", "dtype": "float32"},
        {"name": "colour", "dtype": "int64", "categories": ["red", "green, dark", "3"], "allow_missing": True},
    ],
    sample=[[1, "red"]],
)
IMAGE = signature(row_shape=[2, 2], minimum=0, maximum=1)


def formats(model: Signature, max_rows: int = MAX_ROWS) -> Formats:
    return Formats(model, max_rows, protocol(model, max_rows))


def protocol(model: Signature, max_rows: int = MAX_ROWS) -> InferenceProtocol:
    return InferenceProtocol(model, max_rows, "rain", "7", "onnx_onnxv1")


def read(model: Signature, content_type: str, body: str | bytes, max_rows: int = MAX_ROWS) -> np.ndarray:
    raw = body.encode() if isinstance(body, str) else body
    return formats(model, max_rows).exchange(content_type, JSON).read(raw)


def refusal(guard: Guard, rows: np.ndarray) -> ProblemError:
    """Return the problem of rows that a guard must refuse."""
    bad = guard.offending(rows)
    assert bad is not None
    return guard.refusal(rows, bad)


def npy(array: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array))
    return buffer.getvalue()


def npy_header(text: str, version: int = 1) -> bytes:
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + text.encode("latin-1")


def infer_body(inputs: list[dict[str, Any]], *data: bytes, **fields: Any) -> tuple[bytes, str]:
    """Return a request of the Open Inference Protocol, and the size of its JSON."""
    head = json.dumps({"inputs": inputs} | fields).encode()
    return b"".join([head, *data]), str(len(head))
