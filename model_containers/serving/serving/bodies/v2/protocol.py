"""The Open Inference Protocol's routes: who is there, is it ready, what does the model take, and infer."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

import orjson

from ...problems import ProblemError, malformed
from ...signature import Signature
from ..exchange import Outputs, Written
from ..table import Table
from .infer import HEADER_LENGTH, JSON, SAGEMAKER_TYPE, InferExchange, Model
from .tensors import BYTES, datatype_of

PREFIX = "/v2"
SERVER_NAME = "tidegate"
EXTENSIONS = ("binary_tensor_data",)
SHOWN = 100  # characters of a path or header, in an error

_LENGTH = re.compile(r"\d{1,10}", re.ASCII)
_PATH = re.compile(
    r"/v2(/health/(?P<health>live|ready)|/models/(?P<name>[^/]+)(/versions/(?P<version>[^/]+))?(/(?P<verb>ready|infer))?)?/?"
)


class Call(Enum):
    """What a request asks for."""

    SERVER = "server metadata"
    LIVE = "live"
    READY = "ready"
    MODEL = "model metadata"
    MODEL_READY = "model ready"
    INFER = "infer"

    @property
    def method(self) -> str:
        """The HTTP method that it takes."""
        return "POST" if self is Call.INFER else "GET"


_HEALTH = {"live": Call.LIVE, "ready": Call.READY}
_VERBS = {None: Call.MODEL, "ready": Call.MODEL_READY, "infer": Call.INFER}


class InferenceProtocol:
    """The protocol for one model.

    Parameters
    ----------
    signature
        What the model takes and gives.
    max_rows
        The most rows of a request.
    name, version, platform
        What the model is called here, and what runs it, such as ``onnx_onnxv1``.
    server_version
        The version of this server.
    """

    def __init__(
        self, signature: Signature, max_rows: int, name: str, version: str, platform: str, server_version: str = "1"
    ) -> None:
        self._model = Model(Table(signature, max_rows), name, version)
        self._platform = platform
        self._server_version = server_version
        self._outputs = [_described(output.name, "FP32", [-1]) for output in signature.outputs]

    def learn(self, outputs: Outputs) -> None:
        """Describe the model's outputs, of which a signature holds no more than the names, as those of a warm-up."""
        named = zip(self._model.outputs, outputs, strict=True)
        self._outputs = [_described(name, datatype_of(each), [-1, *each.shape[1:]]) for name, each in named]

    def route(self, method: str, path: str) -> Call:
        """Return what a request under `PREFIX` asks for.

        Raises
        ------
        ProblemError
            Status 404 or 405.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            raise ProblemError(404, "not found", f"there is no {path[:SHOWN]} in the Open Inference Protocol")
        call = self._call(found.groupdict())
        if method != call.method:
            raise ProblemError(405, "method not allowed", f"{path[:SHOWN]} takes {call.method}")
        return call

    def answer(self, call: Call, *, ready: bool) -> tuple[int, Written]:
        """Return the status and the answer to all but `Call.INFER`; `ready` is whether the model can be asked now."""
        if call is Call.SERVER:
            return 200, _json(name=SERVER_NAME, version=self._server_version, extensions=EXTENSIONS)
        if call is Call.LIVE:
            return 200, _json(live=True)
        if call is Call.MODEL:
            return 200, self._metadata()
        named = {"name": self._model.name} if call is Call.MODEL_READY else {}
        return 200 if ready else 503, _json(**named, ready=ready)

    def exchange(self, header_length: str | None) -> InferExchange:
        """Return the exchange for one request, by its Inference-Header-Content-Length (None without one).

        Raises
        ------
        ProblemError
            Status 400.
        """
        return InferExchange(self._model, None if header_length is None else _length(header_length, HEADER_LENGTH))

    def sagemaker_exchange(self, content_type: str) -> InferExchange:
        """Return the exchange for one request to ``/invocations`` of Triton's content type for SageMaker."""
        given = content_type[len(SAGEMAKER_TYPE) :]
        return InferExchange(self._model, _length(given, "json-header-size"), in_content_type=True)

    def _call(self, found: Mapping[str, str | None]) -> Call:
        if found["health"] is not None:
            return _HEALTH[found["health"]]
        if found["name"] is None:
            return Call.SERVER
        version = found["version"]
        if found["name"] != self._model.name or version not in (None, self._model.version):
            asked = found["name"] if version is None else f"{found['name']}, version {version}"
            known = f"{self._model.name}, version {self._model.version}"
            raise ProblemError(404, "not found", f"there is no model {asked[:SHOWN]}; there is {known}")
        return _VERBS[found["verb"]]

    def _metadata(self) -> Written:
        return _json(
            name=self._model.name,
            versions=[self._model.version],
            platform=self._platform,
            inputs=_inputs(self._model.table.signature),
            outputs=self._outputs,
        )


def _inputs(signature: Signature) -> list[dict[str, Any]]:
    """Return the input tensors: one for all columns, or one for each where some are strings."""
    if any(column.labels for column in signature.columns):
        return [_described(each.name, BYTES if each.labels else "FP32", [-1]) for each in signature.columns]
    return [_described(signature.tensor, "FP32", [-1, *signature.input_shape])]


def _described(name: str, datatype: str, shape: list[int]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape}


def _length(given: str, where: str) -> int:
    if _LENGTH.fullmatch(given.strip()) is None:
        raise malformed(f"{where} is {given[:SHOWN]}; needed is how many bytes of the body are JSON")
    return int(given)


def _json(**fields: Any) -> Written:
    return Written(JSON, orjson.dumps(fields))
