"""Requests to S3, SageMaker and DynamoDB, and their answers, against the API's own models."""

import io
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.validate import validate_parameters

from lambdas.contract import ENV_TABLE
from lambdas.rollout.adapters.answers import MOST_BYTES, PairedItems, S3Captures, VariantAnswers
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.answers import paired
from lambdas.rollout.answers.captures import Exchange, Reply
from lambdas.rollout.answers.comparing import Failed, Refused, Unfit
from lambdas.rollout.errors import MissingError, PermanentError, RetryableError
from lambdas.rollout.judge.counts import Paired, Replays, Tally
from lambdas.rollout.judge.incomparable import Incomparable

EXCHANGE = Exchange("text/csv", b"1,2", "trace=7", Reply("application/json", b"{}"))


class FakeClient:
    """A client that checks requests against the API's model, and gives one answer."""

    def __init__(self, service: str, answer: Any) -> None:
        self._model = botocore.session.get_session().get_service_model(service)
        self._answer = answer
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(word.capitalize() for word in method.split("_"))

        def call(**request: Any) -> Any:
            shape: Any = self._model.operation_model(operation).input_shape
            validate_parameters(request, shape)
            self.requests.append((operation, request))
            if isinstance(self._answer, Exception):
                raise self._answer
            return self._answer

        return call

    @property
    def lazy(self) -> Lazy:
        return Lazy("fake", lambda _service: self)


def refusal(code: str, status: int = 400, **more: Any) -> ClientError:
    body = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(body, "Operation")  # type: ignore[arg-type]


def answered(by: str = "green", body: bytes = b"{}") -> dict[str, Any]:
    return {"Body": io.BytesIO(body), "ContentType": "application/json", "InvokedProductionVariant": by}


def test_the_request_goes_to_the_variant_as_it_came_to_the_live_one() -> None:
    client = FakeClient("sagemaker-runtime", answered(body=b'{"rain": 1}'))
    assert VariantAnswers(client.lazy).ask("rain", "green", EXCHANGE) == Reply("application/json", b'{"rain": 1}')
    ((_, request),) = client.requests
    assert request == {
        "EndpointName": "rain",
        "TargetVariant": "green",
        "ContentType": "text/csv",
        "Accept": "application/json",
        "CustomAttributes": "trace=7",
        "Body": b"1,2",
    }


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (refusal("ModelError", 424, OriginalStatusCode=400), Refused("the model answered 400")),
        (refusal("ModelError", 424, OriginalStatusCode=429), Failed("the model answered 429", Tally(0, 1))),
        (refusal("ModelError", 424, OriginalStatusCode=500), Failed("the model answered 500", Tally(1, 1))),
        (refusal("ModelError", 424, OriginalStatusCode=0), Failed("the model answered nothing", Tally(1, 1))),
        (refusal("ValidationError"), Failed("ValidationError")),
        (refusal("ThrottlingException"), Failed("ThrottlingException")),
        (refusal("ServiceUnavailable", 503), Failed("ServiceUnavailable")),
        (ReadTimeoutError(endpoint_url="https://runtime"), Failed("ReadTimeoutError", Tally(0, 1))),
        (ConnectTimeoutError(endpoint_url="https://runtime"), Failed("ConnectTimeoutError")),
        (HTTPClientError(error=ValueError("Invalid header value b'secret'")), Failed("HTTPClientError")),
        (answered(by="blue"), Failed("blue answered in place of green")),
    ],
)
def test_no_answer_is_told_from_a_refusal(answer: Any, outcome: Refused | Failed) -> None:
    found = VariantAnswers(FakeClient("sagemaker-runtime", answer).lazy).ask("rain", "green", EXCHANGE)
    assert found == outcome


@pytest.mark.parametrize(
    "error", [ParamValidationError(report="Invalid type, value: secret"), UnicodeEncodeError("utf-8", "s", 0, 1, "x")]
)
def test_of_a_request_that_cannot_be_sent_no_more_is_told_than_the_errors_name(error: Exception) -> None:
    found = VariantAnswers(FakeClient("sagemaker-runtime", error).lazy).ask("rain", "green", EXCHANGE)
    assert found == Unfit(type(error).__name__)


def test_a_missing_permission_is_a_fault_that_people_hear_of() -> None:
    with pytest.raises(PermanentError, match="AccessDenied"):
        VariantAnswers(FakeClient("sagemaker-runtime", refusal("AccessDeniedException", 403)).lazy).ask(
            "rain", "green", EXCHANGE
        )


def test_an_object_is_read_up_to_a_limit() -> None:
    client = FakeClient("s3", {"Body": io.BytesIO(b"a\nb\n")})
    assert S3Captures(client.lazy).read("bucket", "key") == (b"a\nb\n", True)
    assert client.requests[0][1]["Range"] == f"bytes=0-{MOST_BYTES - 1}"
    assert not S3Captures(FakeClient("s3", {"Body": io.BytesIO(b"x" * MOST_BYTES)}).lazy).read("bucket", "key")[1]
    assert S3Captures(FakeClient("s3", refusal("InvalidRange", 416)).lazy).read("bucket", "key") == (b"", True)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("NoSuchKey", 404), MissingError),
        (refusal("SlowDown", 503), RetryableError),
        (refusal("AccessDenied", 403), PermanentError),
    ],
)
def test_an_object_that_cannot_be_read(answer: Exception, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        S3Captures(FakeClient("s3", answer).lazy).read("bucket", "key")
    assert isinstance(raised.value, MissingError) == (error is MissingError)


def test_a_finding_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV_TABLE, "table")
    key = paired.key("rain", "r1", 3)
    client = FakeClient("dynamodb", {})
    found = Paired(1_800_000_000.0, 5, 1, (Replays(1_800_000_010.0, Tally(2, 7)),))
    assert PairedItems(client.lazy).put_new(paired.item(key, found, "capture/x.jsonl"))
    ((_, request),) = client.requests
    assert request["ConditionExpression"] == "attribute_not_exists(pk)"
    assert request["Item"]["pk"] == {"S": "PAIRED#rain"}
    assert request["Item"]["sk"] == {"S": "r1#00003"}
    assert request["Item"]["differed"] == {"N": "1"}
    assert request["Item"]["replays"] == {"M": {"1800000010": {"L": [{"N": "2"}, {"N": "7"}]}}}
    with pytest.raises(RetryableError):
        PairedItems(FakeClient("dynamodb", refusal("ThrottlingException")).lazy).put_new({**key, "at": 1.0})


def test_what_answers_have_in_place_of_the_field_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV_TABLE, "table")
    client = FakeClient("dynamodb", {})
    found = Paired(1.0, 0, 0, (), Incomparable(unread=1, fieldless=5, names=("label",)))
    PairedItems(client.lazy).put_new(paired.item(paired.key("rain", "r1", 3), found, "capture/x.jsonl"))
    ((_, request),) = client.requests
    names = {"names": {"L": [{"S": "label"}]}, "many": {"N": "0"}}
    assert request["Item"]["incomparable"] == {"M": {"unread": {"N": "1"}, "fieldless": {"N": "5"}, **names}}


@pytest.mark.parametrize(("other", "own"), [("capture/x.jsonl", True), ("capture/y.jsonl", False)])
def test_a_place_is_taken_unless_by_the_same_call_made_twice(
    monkeypatch: pytest.MonkeyPatch, other: str, own: bool
) -> None:
    monkeypatch.setenv(ENV_TABLE, "table")

    class Taken(FakeClient):
        def __getattr__(self, method: str) -> Callable[..., Any]:
            there = {"Item": {"key": {"S": other}}}
            self._answer = there if method == "get_item" else refusal("ConditionalCheckFailedException")
            return super().__getattr__(method)

    item = paired.item(paired.key("rain", "r1", 3), Paired(1.0, 5, 1), "capture/x.jsonl")
    client = Taken("dynamodb", None)
    assert PairedItems(client.lazy).put_new(item) == own
    assert client.requests[-1][1]["Key"] == {"pk": {"S": "PAIRED#rain"}, "sk": {"S": "r1#00003"}}
    assert client.requests[-1][1]["ConsistentRead"]


def test_it_is_known_what_has_been_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV_TABLE, "table")
    key = paired.key("rain", "r1", 3)
    assert PairedItems(FakeClient("dynamodb", {"Item": {"pk": {"S": "PAIRED#rain"}}}).lazy).has(key)
    assert not PairedItems(FakeClient("dynamodb", {}).lazy).has(key)
