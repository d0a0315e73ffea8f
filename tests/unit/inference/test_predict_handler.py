"""The function in front of an endpoint: HTTP in, HTTP out, whatever happens."""

import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from lambdas import contract
from lambdas.inference.settings import front_door

SETTINGS = {
    "endpoint": "rain-local",
    "auth": "api_key",
    "clients": {"key-1": {"name": "shop"}, "key-2": {"name": "lab", "tester": True}},
    "segments": [],
    "breaker": {},
}
NAME = "lambdas.inference.handlers.predict"


class Context:
    """Lambda's."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 20_000


@pytest.fixture
def predict(monkeypatch: pytest.MonkeyPatch, door: Any) -> Iterator[Any]:
    monkeypatch.setenv(contract.ENV_FRONT_DOOR, json.dumps(SETTINGS))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    front_door.cache_clear()
    sys.modules.pop(NAME, None)
    module = importlib.import_module(NAME)
    monkeypatch.setattr(module, "_predictor", door.predictor)
    yield module
    front_door.cache_clear()
    sys.modules.pop(NAME, None)


def event(resource: str = "/predictions", method: str = "POST", body: Any = None, **headers: str) -> dict[str, Any]:
    return {
        "httpMethod": method,
        "resource": resource,
        "headers": {
            "content-type": "application/json",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        },
        "body": json.dumps({"instances": [[1, 2]]} if body is None else body),
        "requestContext": {"identity": {"apiKeyId": "key-1"}},
    }


def test_an_answer_says_who_gave_it(predict: Any) -> None:
    answer = predict.handler(event(), Context())
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"predictions": [{"by": "v1"}]}
    said = {name: text for name, text in answer["headers"].items() if name.startswith("Tidegate")}
    assert len(said.pop("Tidegate-Prediction-Id")) == 36
    assert said == {"Tidegate-Answer": "model", "Tidegate-Variant": "blue", "Tidegate-Model-Version": "v1"}


def test_the_endpoint_and_the_caller_know_a_prediction_by_the_same_id(predict: Any, door: Any) -> None:
    answer = predict.handler(event(), Context())
    assert door.runtime.ids == [answer["headers"]["Tidegate-Prediction-Id"]]


def test_what_is_wrong_is_a_problem_document(predict: Any) -> None:
    answer = predict.handler(event(body={"instances": [[1, 1000]]}), Context())
    assert answer["statusCode"] == 422
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    document = json.loads(answer["body"])
    assert document["type"] == "urn:tidegate:problem:invalid-input"
    assert document["instance"] == f"urn:tidegate:prediction:{answer['headers']['Tidegate-Prediction-Id']}"
    assert document["errors"][0]["column"] == "wind"


def test_the_schema_can_be_asked_for(predict: Any) -> None:
    answer = predict.handler(event("/schema", "GET"), Context())
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "application/schema+json"


@pytest.mark.parametrize(
    ("resource", "method", "status"), [("/other", "GET", 404), ("/schema", "POST", 405), ("/predictions", "GET", 405)]
)
def test_what_there_is_not_is_told(predict: Any, resource: str, method: str, status: int) -> None:
    assert predict.handler(event(resource, method), Context())["statusCode"] == status


def test_only_testers_choose_the_variant(predict: Any) -> None:
    wanted = event(Tidegate_Target_Variant="blue")
    assert predict.handler(wanted, Context())["statusCode"] == 403
    wanted["requestContext"]["identity"]["apiKeyId"] = "key-2"
    assert predict.handler(wanted, Context())["statusCode"] == 200


def test_what_nobody_foresaw_is_answered_and_logged(
    predict: Any, door: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    door.runtime.errors = [ZeroDivisionError("unforeseen")]
    answer = predict.handler(event(), Context())
    assert answer["statusCode"] == 500
    assert "unforeseen" not in answer["body"]
    [written] = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert "ZeroDivisionError: unforeseen" in written["exception"]
    assert (written["endpoint"], written["request"], written["level"]) == ("rain-local", "request-1", "ERROR")
    assert written["prediction"] == answer["headers"]["Tidegate-Prediction-Id"]


def test_only_who_is_named_keeps_to_a_version(predict: Any, make_door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sticky = make_door(sticky=True)
    sticky.route = sys.modules["inference_serving_fakes"].route(("blue", "v1"), ("green", "v2"), 99.9)
    sticky.runtime.hosted["green"] = "v2"
    monkeypatch.setattr(predict, "_predictor", sticky.predictor)
    predict.handler(event(), Context())
    predict.handler(event(Tidegate_Caller="ann"), Context())
    assert sticky.runtime.asked == [None, "green"]


def test_it_can_be_kept_warm(predict: Any, door: Any) -> None:
    assert predict.handler({"tidegate": "warm"}, None) == {"tidegate": "warm"}
    assert door.views_read == 1
    assert door.runtime.asked == []


def test_what_a_start_can_do_without_is_not_imported(predict: Any) -> None:
    import os
    import subprocess

    slow = {"boto3", "s3transfer", "aws_lambda_powertools", "valkey"}
    code = f"import sys, {NAME}; print(sorted({slow} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
