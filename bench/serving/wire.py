"""What goes over the wire: the same row in the same format, in the words of each server."""

import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.connection import post_request
from bench.errors import BenchError

JSON, NPY = "json", "npy"
FORMATS = (JSON, NPY)
_MEDIA = {JSON: "application/json", NPY: "application/x-npy"}
_BOUNDARY = "bench-boundary"
_HEADER_LENGTH = re.compile(rb"inference-header-content-length: *(\d+)", re.IGNORECASE)

Row = NDArray[np.float32]


class WireError(BenchError):
    """An answer could not be read."""


@dataclass(frozen=True)
class Dialect:
    """How one row becomes a request, and where its first output stands in the answer.

    Parameters
    ----------
    request
        From the format, a row and the names of the outputs to HTTP as sent.
    score
        From the format, the answer's head and its body to the first output.
    """

    request: Callable[[str, Row, Sequence[str]], bytes]
    score: Callable[[str, bytes, bytes], float]


def invocations(paths: dict[str, str] | None = None) -> Dialect:
    """Return SageMaker's way: ``{"instances": [[...]]}`` or an npy array, posted to a path for each format."""
    chosen = paths or dict.fromkeys(FORMATS, "/invocations")

    def request(format_: str, row: Row, _outputs: Sequence[str]) -> bytes:
        body = _json_body(row) if format_ == JSON else _npy_body(row)
        return post_request(chosen[format_], _MEDIA[format_], body, _MEDIA[format_])

    return Dialect(request, _invocations_score)


def upload(field: str) -> Dialect:
    """Return `invocations` for JSON; npy goes as a file of a form, and comes back as JSON."""
    plain = invocations()

    def request(format_: str, row: Row, outputs: Sequence[str]) -> bytes:
        if format_ == JSON:
            return plain.request(format_, row, outputs)
        about = f'form-data; name="{field}"; filename="row.npy"\r\nContent-Type: {_MEDIA[NPY]}'
        part = f"--{_BOUNDARY}\r\nContent-Disposition: {about}\r\n\r\n".encode()
        body = part + _npy_body(row) + f"\r\n--{_BOUNDARY}--\r\n".encode()
        return post_request("/invocations", f"multipart/form-data; boundary={_BOUNDARY}", body, "*/*")

    return Dialect(request, lambda _format, head, body: _invocations_score(JSON, head, body))


def v2(model: str, shape: Sequence[int] | None = None) -> Dialect:
    """Return the Open Inference Protocol: JSON tensors; for npy its extension for binary tensors, raw float32."""
    path = f"/v2/models/{model}/infer"

    def request(format_: str, row: Row, outputs: Sequence[str]) -> bytes:
        tensor: dict[str, Any] = {"name": "rows", "shape": list(shape or (1, len(row))), "datatype": "FP32"}
        if format_ == JSON:
            body = json.dumps({"inputs": [{**tensor, "data": _numbers(row)}]}, separators=(",", ":")).encode()
            return post_request(path, _MEDIA[JSON], body, _MEDIA[JSON])
        asked = [{"name": name, "parameters": {"binary_data": True}} for name in outputs]
        binary = {**tensor, "parameters": {"binary_data_size": row.nbytes}}
        head = json.dumps({"inputs": [binary], "outputs": asked}, separators=(",", ":")).encode()
        plain = post_request(path, "application/octet-stream", head + row.tobytes(), "*/*")
        return plain.replace(b"\r\n\r\n", b"\r\nInference-Header-Content-Length: %d\r\n\r\n" % len(head), 1)

    return Dialect(request, _v2_score)


def _numbers(row: Row) -> list[float]:
    return [float(str(cell)) for cell in row]  # the shortest text of a float32: 0.1, not 0.10000000149011612


def _json_body(row: Row) -> bytes:
    return json.dumps({"instances": [_numbers(row)]}, separators=(",", ":")).encode()


def _npy_body(row: Row) -> bytes:
    body = io.BytesIO()
    np.save(body, row.reshape(1, -1))
    return body.getvalue()


def _invocations_score(format_: str, _head: bytes, body: bytes) -> float:
    if format_ == NPY:
        return float(np.load(io.BytesIO(body), allow_pickle=False).ravel()[0])
    answer = json.loads(body)
    first = answer["predictions"][0] if isinstance(answer, dict) else answer[0]
    return _first(first.values() if isinstance(first, dict) else first)


def _first(values: Any) -> float:
    value = next(iter(values), None) if not isinstance(values, int | float) else values
    if value is None:
        raise WireError("an answer without a value")
    return float(value)


def _v2_score(format_: str, head: bytes, body: bytes) -> float:
    if format_ == JSON:
        return _first(np.ravel(json.loads(body)["outputs"][0]["data"]))
    found = _HEADER_LENGTH.search(head)
    if found is None:
        raise WireError("a binary answer without Inference-Header-Content-Length")
    return float(np.frombuffer(body[int(found[1]) :], dtype=np.float32)[0])
