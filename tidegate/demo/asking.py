"""How the demos ask for a prediction: of SageMaker itself, or through the endpoint's front door; one attempt each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from tidegate.aws import session
from tidegate.demo.observations import MODEL_ERROR, UNKNOWN

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

SENDERS = 48
PREDICTION = "prediction"
"""Key of an outcome under which the answer to the row is."""

Ask = Callable[[int, str], Mapping[str, Any]]
"""Sends a row as the request of a number; returns an outcome: what `observations.Request` says of an answer."""

_CONNECT, _READ = 5, 65
_VARIANT = "x-amzn-invoked-production-variant"
_MODEL_FAILED = "urn:tidegate:problem:model-failed"

ONE_ATTEMPT = Config(
    connect_timeout=_CONNECT,
    read_timeout=_READ,
    max_pool_connections=SENDERS,
    # A retry would hide the very failure that is looked for.
    retries={"total_max_attempts": 1},
    tcp_keepalive=True,
)


def runtime_client(environment: Mapping[str, str]) -> SageMakerRuntimeClient:
    """Return the client that the traffic goes through: stock boto3, one attempt a request."""
    client: SageMakerRuntimeClient = session(environment).client(
        "sagemaker-runtime", endpoint_url=environment["AWS_ENDPOINT_URL"], config=ONE_ATTEMPT
    )
    return client


class AskSageMaker:
    """Asks the endpoint itself.

    Parameters
    ----------
    client
        Client of sagemaker-runtime.
    endpoint
        Name of the endpoint.
    name
        Gives request number `index` the inference id under which its label can be told later; None gives none.
    """

    def __init__(self, client: Any, endpoint: str, name: Callable[[int], str] | None = None) -> None:
        self._client = client
        self._endpoint = endpoint
        self._name = name

    def __call__(self, index: int, row: str) -> Mapping[str, Any]:
        """Send a row."""
        named = {"InferenceId": self._name(index)} if self._name else {}
        try:
            answer = self._client.invoke_endpoint(
                EndpointName=self._endpoint,
                Body=f"{row}\n".encode(),
                ContentType="text/csv",
                Accept="application/json",
                **named,
            )
        except ClientError as error:
            return failed(error.response)
        return {"variant": answer["InvokedProductionVariant"], PREDICTION: _only(answer["Body"].read())}


class AskFrontDoor:
    """Asks through the front door, as applications do.

    Parameters
    ----------
    url
        The front door's address.
    key
        The caller's API key.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = urljoin(url, "predictions")
        self._headers = {"Content-Type": "application/json", "X-Api-Key": key}
        timeout = urllib3.Timeout(connect=_CONNECT, read=_READ)
        self._pool = urllib3.PoolManager(maxsize=SENDERS, retries=False, timeout=timeout)

    def __call__(self, _: int, row: str) -> Mapping[str, Any]:
        """Send a row."""
        body = json.dumps({"instances": [[float(cell) for cell in row.split(",")]]})
        answer = self._pool.request("POST", self._url, body=body, headers=self._headers)
        if answer.status != 200:
            return refused(answer.status, answer.headers, answer.data)
        return {"variant": answer.headers["Tidegate-Variant"], PREDICTION: _only(answer.data)}


def _only(body: bytes) -> Any:
    return json.loads(body)["predictions"][0]


def refused(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return what a problem document of the front door says."""
    problem = _problem(status, body)
    own = problem["type"] == _MODEL_FAILED
    return {
        "variant": headers.get("Tidegate-Variant") or UNKNOWN,
        "failure": MODEL_ERROR if own else problem["type"].rpartition(":")[2],
        "status": status,
        "model_status": int(headers["Tidegate-Model-Status"]) if own else None,
        "detail": f"{problem['detail']} ({problem.get('instance', '')})",
    }


def _problem(status: int, body: bytes) -> dict[str, Any]:
    """Return the problem document; whatever else is answered, as one that says what it was."""
    said = json.loads(body)
    if isinstance(said, dict) and "type" in said:
        return {"detail": "", **said}
    return {"type": f"urn:no-problem:{status}", "detail": str(said)}


def failed(response: Any) -> dict[str, Any]:
    """Return what an error answer of SageMaker's says: its code, its status, and the variant that it names."""
    error = response.get("Error", {})
    metadata = response.get("ResponseMetadata", {})
    return {
        "variant": _variant_of_failure(response, metadata.get("HTTPHeaders", {})),
        "failure": error.get("Code", UNKNOWN),
        "status": metadata.get("HTTPStatusCode", 0),
        "model_status": response.get("OriginalStatusCode"),
        "detail": error.get("Message", ""),
    }


def _variant_of_failure(response: Any, headers: Mapping[str, str]) -> str:
    if _VARIANT in headers:
        return headers[_VARIANT]
    # Log streams of endpoints are named <variant>/<instance>.
    stream = response.get("LogStreamArn", "").rpartition("log-stream:")[2]
    return stream.partition("/")[0] or UNKNOWN
