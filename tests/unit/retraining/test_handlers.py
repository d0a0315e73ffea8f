"""The functions' entry points, with a world of fakes behind them."""

import json
import sys
from typing import Any

import pytest

from lambdas import contract
from lambdas.retraining.controller import Controller
from lambdas.retraining.handlers import conclude, retrain, sweep
from lambdas.rollout.errors import PermanentError

w: Any = sys.modules["retraining_world"]
AT = "2027-01-15T08:00:00Z"


@pytest.fixture
def wired(world: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(contract.ENV_ENVIRONMENT, "local")
    for module in (retrain, sweep):
        monkeypatch.setattr(module, "begin", lambda context: Controller(world.ports))
    return world


def sqs(*bodies: Any) -> dict[str, Any]:
    return {"Records": [{"messageId": str(n), "body": json.dumps(body)} for n, body in enumerate(bodies)]}


def order(command: str, **more: Any) -> dict[str, Any]:
    detail = {"endpoint": w.NAME, "command": command, "id": command, "by": "anna", **more}
    return {"source": "tidegate.operator", "detail-type": "x", "id": "e", "time": AT, "detail": detail}


def status_event(arn: str) -> dict[str, Any]:
    return {"source": "aws.sagemaker", "id": "e", "time": AT, "detail": {"pipelineExecutionArn": arn}}


def test_order_starts_a_run_and_a_bad_message_alone_comes_again(wired: Any) -> None:
    result = retrain.handler(sqs({"no": "detail"}, order("start")), None)
    assert result == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert len(wired.pipelines.executions) == 1


def test_execution_s_event_has_the_run_followed_at_once(wired: Any) -> None:
    retrain.handler(sqs(order("start")), None)
    (execution,) = wired.pipelines.executions
    wired.time += wired.pipelines.seconds + 1
    lowered = execution.arn.replace("tidegate-local-rain", "TIDEGATE-local-rain")
    assert retrain.handler(sqs(status_event(lowered)), None) == {"batchItemFailures": []}
    assert wired.outcomes == ["registered"]


def test_execution_of_another_pipeline_says_nothing(wired: Any) -> None:
    arn = "arn:aws:sagemaker:us-east-1:1:pipeline/somebody-s/execution/1"
    assert retrain.handler(sqs(status_event(arn)), None) == {"batchItemFailures": []}
    assert wired.store.written == {}


def test_what_could_not_be_followed_comes_again(wired: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    retrain.handler(sqs(order("start")), None)

    def refuse(execution: str) -> str:
        raise PermanentError("AccessDenied: sagemaker:DescribePipelineExecution")

    monkeypatch.setattr(wired.pipelines, "status", refuse)
    (execution,) = wired.pipelines.executions
    assert retrain.handler(sqs(status_event(execution.arn)), None)["batchItemFailures"]
    (failed,) = Controller(wired.ports).sweep()
    assert failed == (w.NAME, "PermanentError: AccessDenied: sagemaker:DescribePipelineExecution")


def test_sweep_follows_without_any_event(wired: Any, capsys: pytest.CaptureFixture[str]) -> None:
    retrain.handler(sqs(order("start")), None)
    wired.time += wired.pipelines.seconds + 1
    sweep.handler({}, None)
    assert wired.outcomes == ["registered"]
    assert '"Faults":[0.0]' in capsys.readouterr().out


def test_step_s_arguments_are_looked_at_before_anything_is_done() -> None:
    with pytest.raises(PermanentError, match="arguments lack decision"):
        conclude.handler({}, None)
