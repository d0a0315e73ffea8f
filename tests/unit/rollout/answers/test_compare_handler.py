"""The function's entry point: messages with events of S3."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from lambdas import contract
from lambdas.rollout.adapters.clients import TimeLimit
from lambdas.rollout.errors import PermanentError, RetryableError
from lambdas.rollout.handlers import compare, wiring


@dataclass
class Context:
    """What Lambda tells a function of its invocation."""

    aws_request_id: str = "request-1"


def message(key: str, at: str = "2027-01-15T08:02:00Z") -> dict[str, Any]:
    detail = {"version": "0", "bucket": {"name": "artefacts"}, "object": {"key": key, "size": 5}}
    return {"source": "aws.s3", "detail-type": "Object Created", "time": at, "detail": detail}


def records(*bodies: Any) -> dict[str, Any]:
    return {"Records": [{"messageId": str(n), "body": json.dumps(body)} for n, body in enumerate(bodies)]}


@pytest.fixture
def wired(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(wiring, "time_limit", TimeLimit())
    monkeypatch.setattr(compare, "time_limit", TimeLimit())
    monkeypatch.setenv(contract.ENV_ENVIRONMENT, "local")
    monkeypatch.setattr(compare, "real_comparison", desk.comparison)
    return desk


def test_an_object_that_was_created_is_compared(wired: Any, here: Any) -> None:
    assert compare.handler(records(message(here.KEY)), Context()) == {"batchItemFailures": []}
    ((_, item),) = wired.items.items()
    assert (item["compared"], item["at"]) == (5, 1_800_000_120.0)


def test_other_objects_and_bad_messages(wired: Any, here: Any) -> None:
    events = records(message("capture/other.txt"), {"no": "detail"}, message(here.KEY))
    assert compare.handler(events, Context()) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert len(wired.items) == 1


def test_what_may_pass_comes_again(wired: Any, here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wired, "read", raising(RetryableError("slow down")))
    assert compare.handler(records(message(here.KEY)), Context())["batchItemFailures"]


def test_what_will_fail_again_is_a_fault_that_an_alarm_watches(
    wired: Any, here: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tried until it is too old, the message would end as if nothing had been wrong."""
    monkeypatch.setattr(wired, "read", raising(PermanentError("AccessDenied: the key")))
    assert compare.handler(records(message(here.KEY)), Context()) == {"batchItemFailures": []}
    metric = next(json.loads(line) for line in capsys.readouterr().out.splitlines() if contract.FAULTS_METRIC in line)
    assert metric[contract.FAULTS_METRIC] == [1.0]


def raising(error: Exception) -> Any:
    def fail(*_args: object) -> None:
        raise error

    return fail
