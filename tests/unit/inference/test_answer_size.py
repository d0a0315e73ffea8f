"""What Lambda hands on of an answer, and what clients are told of one that is too large for it."""

import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

from lambdas.inference.answer_size import LARGEST_BYTES, fits, sent_bytes
from lambdas.inference.http import HttpAnswer
from lambdas.inference.ports import Invoked
from tests.unit.inference.jobs_account import BUCKET, NAME, Account, Context, account_with
from tests.unit.inference.jobs_world import World

LAMBDA_BYTES = 6 * 1024 * 1024


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with account_with(monkeypatch) as found:
        yield found


@pytest.mark.parametrize("character", ["a", '"', "\\", "\n", "\x00", "é", "😀"])
def test_what_fits_is_what_the_runtime_sends_and_lambda_takes(character: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python3.14")
    each = sent_bytes(character) - sent_bytes("")
    most = character * ((LARGEST_BYTES - sent_bytes("")) // each)
    assert fits(most)
    assert not fits(most + character)
    headers = {f"Tidegate-{name}": "x" * 256 for name in ("Prediction-Id", "Model-Version", "Variant", "Answer")}
    answer = HttpAnswer(200, most, headers).proxy({"Access-Control-Allow-Origin": "https://" + "x" * 500})
    sent, _ = LambdaMarshaller().marshal_response(answer)
    assert LAMBDA_BYTES - 8 * 1024 - 6 < len(sent.encode()) <= LAMBDA_BYTES


def answers(door: Any, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    monkeypatch.setattr(door.runtime, "invoke", lambda *_: Invoked(body, "blue"))


def test_an_answer_that_lambda_cannot_hand_on_is_a_problem_that_says_so(
    door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps({"predictions": [{"embedding": "x" * LARGEST_BYTES}]})
    answers(door, monkeypatch, body)
    problem = door.problem()
    assert (problem.slug, problem.status) == ("too-large", 413)
    assert f"has {sent_bytes(body)} bytes" in problem.detail
    assert str(LARGEST_BYTES) in problem.detail
    assert problem.detail.endswith("send fewer rows in a request")
    (record,) = door.log.records
    assert record["status"] == 413, "the audit says what the caller was told"


def test_a_model_whose_answers_are_too_large_has_not_failed(make_door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    door = make_door(cache=None)
    with monkeypatch.context() as patched:
        answers(door, patched, json.dumps({"predictions": ["x" * LARGEST_BYTES]}))
        assert {door.problem([[each, 2.0]]).slug for each in range(10)} == {"too-large"}
    assert door.said() == ("v1", "model")


def test_the_function_behind_the_api_refuses_it(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    sys.modules.pop("lambdas.inference.handlers.predict", None)
    predict = importlib.import_module("lambdas.inference.handlers.predict")
    answers(account, monkeypatch, json.dumps({"predictions": ["x" * LARGEST_BYTES]}))
    event = {
        "httpMethod": "POST",
        "resource": "/predictions",
        "headers": {"content-type": "application/json"},
        "body": '{"instances": [[1, 2]]}',
        "requestContext": {"identity": {"apiKeyId": "key-1"}},
    }
    answer = predict.handler(event, Context())
    assert answer["statusCode"] == 413
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(answer["body"])["type"] == "urn:tidegate:problem:too-large"


def done(account: Account, content: bytes) -> str:
    """Return the id of a job that has this answer."""
    _, accepted, _ = account.post()
    assert account.run() == []
    identity: str = accepted["id"]
    account.s3.put_object(Bucket=BUCKET, Key=f"inference/{NAME}/jobs/{identity}/result-1.json", Body=content)
    return identity


def told(account: Account, identity: str) -> dict[str, Any]:
    status, document, _ = account.call("GET", f"/jobs/{identity}")
    assert (status, document["id"], document["model_version"]) == (200, identity, "2.0.0")
    found: dict[str, Any] = document
    return found


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"predictions": ["x" * LARGEST_BYTES]}),
        # Smaller than what Lambda takes, but not as it is sent.
        json.dumps({"predictions": ['"' * (LARGEST_BYTES // 4)]}),
        json.dumps({"predictions": ["é" * (LARGEST_BYTES // 6)]}, ensure_ascii=False),
    ],
    ids=["file", "quotes", "accents"],
)
def test_a_job_whose_answer_is_too_large_to_be_shown_is_done_and_says_so(account: Account, content: str) -> None:
    identity = done(account, content.encode())
    document = told(account, identity)
    assert document["status"] == "done"
    assert "predictions" not in document
    problem = document["problem"]
    assert (problem["type"], problem["status"]) == ("urn:tidegate:problem:too-large", 413)
    assert problem["instance"] == f"urn:tidegate:prediction:{identity}"
    assert f"{LARGEST_BYTES} bytes" in problem["detail"]
    assert "send fewer rows in a job" in problem["detail"]
    assert f"python -m tidegate jobs show {identity}" in problem["detail"]
    assert BUCKET not in problem["detail"], "the bucket's name has the account in it"


def test_a_job_whose_answer_just_fits_is_shown(account: Account) -> None:
    large = "x" * (LARGEST_BYTES - 1000)
    document = told(account, done(account, json.dumps({"predictions": [large]}).encode()))
    assert document["predictions"] == [large]
    assert "problem" not in document


def test_of_an_answer_that_is_far_too_large_nothing_is_read() -> None:
    world = World()
    identity = world.post().id
    world.until_over()
    key = world.job(identity).result
    world.files.content[key] = b"x" * (LARGEST_BYTES + 1)  # to read it would fail: it is no JSON
    document, headers = world.show(identity)
    assert (document["status"], headers) == ("done", {})
    assert document["problem"]["status"] == 413
