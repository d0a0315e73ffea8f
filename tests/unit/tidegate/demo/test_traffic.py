from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tidegate.demo.asking import ONE_ATTEMPT, AskSageMaker, failed, refused
from tidegate.demo.observations import UNKNOWN, Request
from tidegate.demo.openloop import WallPace
from tidegate.demo.traffic import Sender, Stream, Traffic

LOG_STREAM = "arn:aws:logs:us-east-1:1:log-group:/aws/sagemaker/Endpoints/rain-local:log-stream:blue/i-0abc"


class FakeRuntime:
    """Answers, or raises, what it is given; remembers the request."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.request: dict[str, Any] = {}

    def invoke_endpoint(self, **request: Any) -> Any:
        self.request = request
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Clock:
    """Each look takes ten milliseconds."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        self.time += 0.01
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def send(answer: Any, label: int = 1) -> tuple[Request, FakeRuntime]:
    recorded: list[Request] = []
    runtime = FakeRuntime(answer)
    ask = AskSageMaker(runtime, "rain-local")
    Sender(ask, Stream(["1,2", "3,4"], [0, label]), recorded.append, Clock())(3, 99.9)
    return recorded[0], runtime


def answer(rain: int) -> dict[str, Any]:
    body = json.dumps({"predictions": [{"probability": 0.7, "rain": rain}]}).encode()
    return {"InvokedProductionVariant": "green", "Body": io.BytesIO(body)}


def test_an_answer_is_recorded_with_its_variant_and_whether_it_was_right() -> None:
    request, runtime = send(answer(rain=1))
    assert (request.variant, request.failure, request.right) == ("green", "", True)
    assert runtime.request["Body"] == b"3,4\n"
    assert send(answer(rain=0))[0].right is False


def test_latency_counts_from_the_scheduled_instant() -> None:
    request, _ = send(answer(rain=1))
    assert request.due == 99.9
    assert round(request.latency_ms) == 120


def test_a_model_error_is_recorded_with_the_variant_that_answered_it() -> None:
    response: Any = {
        "Error": {"Code": "ModelError", "Message": "Received server error (500)"},
        "ResponseMetadata": {"HTTPStatusCode": 424, "HTTPHeaders": {}},
        "LogStreamArn": LOG_STREAM,
        "OriginalStatusCode": 500,
    }
    request, _ = send(ClientError(response, "InvokeEndpoint"))
    assert (request.variant, request.failure, request.status) == ("blue", "ModelError", 424)
    assert request.model_status == 500


def test_the_header_names_the_variant_of_a_failure_too() -> None:
    metadata = {"HTTPStatusCode": 424, "HTTPHeaders": {"x-amzn-invoked-production-variant": "green"}}
    assert failed({"Error": {"Code": "ModelError"}, "ResponseMetadata": metadata})["variant"] == "green"


def test_a_failure_of_the_model_is_told_from_one_of_the_front_door() -> None:
    def problem(slug: str) -> bytes:
        return json.dumps({"type": f"urn:tidegate:problem:{slug}", "status": 502, "detail": "why"}).encode()

    own = refused(502, {"Tidegate-Variant": "green", "Tidegate-Model-Status": "500"}, problem("model-failed"))
    assert (own["variant"], own["failure"], own["status"], own["model_status"]) == ("green", "ModelError", 502, 500)
    other = refused(503, {}, problem("unavailable"))
    assert (other["variant"], other["failure"], other["model_status"]) == (UNKNOWN, "unavailable", None)


def test_an_answer_that_is_no_problem_document_is_recorded_as_what_it_was() -> None:
    found = refused(500, {}, b'{"message": "Internal server error"}')
    assert (found["failure"], found["status"], found["model_status"]) == ("500", 500, None)
    assert "Internal server error" in found["detail"]


def test_a_broken_connection_is_recorded() -> None:
    request, _ = send(ConnectionClosedError(endpoint_url="http://127.0.0.1"))
    assert (request.variant, request.failure, request.status) == (UNKNOWN, "ConnectionClosedError", 0)


def test_an_answer_that_breaks_the_contract_is_a_failure() -> None:
    request, _ = send({"InvokedProductionVariant": "green", "Body": io.BytesIO(b"<html>")})
    assert request.failure == "JSONDecodeError"


@pytest.mark.parametrize("error", [RuntimeError("closed"), OSError("no socket"), AttributeError("headers")])
def test_whatever_goes_wrong_is_recorded_by_its_name(error: Exception) -> None:
    request, _ = send(error)
    assert (request.variant, request.failure, request.status) == (UNKNOWN, type(error).__name__, 0)


def test_an_error_answer_that_cannot_be_read_is_recorded() -> None:
    request, _ = send(ClientError({"LogStreamArn": None}, "InvokeEndpoint"))  # type: ignore[typeddict-unknown-key]
    assert request.failure == "AttributeError"


def test_the_traffic_says_how_many_requests_it_handed_out_and_when_it_ended() -> None:
    recorded: list[Request] = []
    pace = WallPace()
    sender = Sender(AskSageMaker(FakeRuntime(RuntimeError("no")), "rain"), Stream(["1"], [0]), recorded.append, pace)
    with Traffic(sender, pace, rate=200.0) as traffic:
        pace.sleep(1.0)
    assert traffic.handed_out == len(recorded) > 10
    assert traffic.ended - 1 < max(request.due for request in recorded) <= traffic.ended + 0.01


def test_no_request_is_retried() -> None:
    assert vars(ONE_ATTEMPT)["_user_provided_options"]["retries"] == {"total_max_attempts": 1}


def test_the_stream_goes_round() -> None:
    stream = Stream(["a", "b"], [0, 1])
    assert [stream.row(index) for index in range(3)] == [("a", 0), ("b", 1), ("a", 0)]
