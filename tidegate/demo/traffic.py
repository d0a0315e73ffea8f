"""The demo's traffic: the weather stream, replayed against the endpoint through boto3 at a steady rate."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from tidegate.aws import session
from tidegate.demo.observations import UNKNOWN, Request
from tidegate.demo.openloop import OpenLoop, Pace

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

RATE = 40.0
SENDERS = 48
VARIANT_HEADER = "x-amzn-invoked-production-variant"

ONE_ATTEMPT = Config(
    connect_timeout=5,
    read_timeout=65,
    max_pool_connections=SENDERS,
    # A retry would hide the very failure that is looked for.
    retries={"total_max_attempts": 1},
    tcp_keepalive=True,
)


@dataclass(frozen=True)
class Stream:
    """Rows to send and what the weather then did; sent in a circle."""

    rows: Sequence[str]
    labels: Sequence[int]

    def row(self, index: int) -> tuple[str, int]:
        """Return the row and the label of request number `index`."""
        place = index % len(self.rows)
        return self.rows[place], self.labels[place]


def weather() -> Stream:
    """Return the days that no model was trained on."""
    from model_containers.training import replay

    chosen = replay.REPLAY
    return Stream(replay.rows(chosen.start, chosen.stop), replay.labels(chosen.start, chosen.stop))


def runtime_client(environment: Mapping[str, str]) -> SageMakerRuntimeClient:
    """Return the client that the traffic goes through: stock boto3, one attempt a request."""
    client: SageMakerRuntimeClient = session(environment).client(
        "sagemaker-runtime", endpoint_url=environment["AWS_ENDPOINT_URL"], config=ONE_ATTEMPT
    )
    return client


class Sender:
    """Sends one request and records what came of it.

    Parameters
    ----------
    client
        Client of sagemaker-runtime.
    endpoint
        Name of the endpoint.
    stream
        What is sent.
    record
        Takes each outcome.
    pace
        Time.
    name
        Gives request number `index` the inference id under which its label can be told later; None gives none.
    """

    def __init__(
        self,
        client: Any,
        endpoint: str,
        stream: Stream,
        record: Callable[[Request], None],
        pace: Pace,
        name: Callable[[int], str] | None = None,
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._stream = stream
        self._record = record
        self._pace = pace
        self._name = name

    def __call__(self, index: int, due: float) -> None:
        """Send request number `index`."""
        row, label = self._stream.row(index)
        sent = self._pace.now()
        try:
            outcome = self._outcome(row, label, {"InferenceId": self._name(index)} if self._name else {})
        except Exception as error:  # no answer, or a broken one: whatever it was, no request may go missing
            outcome = {"variant": UNKNOWN, "failure": type(error).__name__, "status": 0, "detail": str(error)}
        self._record(Request(due=due, sent=sent, done=self._pace.now(), index=index, **outcome))

    def _outcome(self, row: str, label: int, named: Mapping[str, str]) -> dict[str, Any]:
        try:
            return self._answered(row, label, named)
        except ClientError as error:
            return failed(error.response)

    def _answered(self, row: str, label: int, named: Mapping[str, str]) -> dict[str, Any]:
        answer = self._client.invoke_endpoint(
            EndpointName=self._endpoint,
            Body=f"{row}\n".encode(),
            ContentType="text/csv",
            Accept="application/json",
            **named,
        )
        prediction = json.loads(answer["Body"].read())["predictions"][0]
        return {"variant": answer["InvokedProductionVariant"], "right": prediction["rain"] == label}


def failed(response: Any) -> dict[str, Any]:
    """Return what an error answer says: its code, its status, and the variant that it names."""
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
    if VARIANT_HEADER in headers:
        return headers[VARIANT_HEADER]
    # Log streams of endpoints are named <variant>/<instance>.
    stream = response.get("LogStreamArn", "").rpartition("log-stream:")[2]
    return stream.partition("/")[0] or UNKNOWN


class Traffic:
    """The running traffic; a context that ends when the last answer is in.

    Then `handed_out` says how many requests there were, and `ended` when the traffic was told to stop.
    """

    def __init__(self, sender: Sender, pace: Pace, rate: float = RATE) -> None:
        self._pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="sender")
        self._loop = OpenLoop(rate, sender, self._pool, pace)
        self._pace = pace
        self._thread = Thread(target=self._run, name="traffic", daemon=True)
        self.handed_out = 0
        self.ended = 0.0

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def _run(self) -> None:
        self.handed_out = self._loop.run()

    def __exit__(self, *_: object) -> None:
        self.ended = self._pace.now()
        self._loop.stop()
        self._thread.join()
        self._pool.shutdown(wait=True)
