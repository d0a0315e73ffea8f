"""Runs whose answers are asked for by key: loaded once all files are answered, followed, stopped and told."""

import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber
from botocore.validate import validate_parameters

from lambdas import contract
from lambdas.inference.batch.adapters.executions import StepFunctions
from lambdas.inference.batch.adapters.models import LiveModels
from lambdas.inference.batch.adapters.transforms import request
from lambdas.inference.batch.decision import Load
from lambdas.inference.batch.doing import do
from lambdas.inference.batch.items import read_state, state_item
from lambdas.inference.batch.said import JobSeen, LoadSeen, NotDone
from lambdas.inference.batch.state import Stage
from lambdas.inference.settings import front_door
from lambdas.inference.signature import Signature
from lambdas.rollout.errors import PermanentError, RetryableError
from tests.unit.inference.batch_world import HOUR, MINUTE, SERVED, World

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:tidegate-rain-local-load"
EXECUTION = MACHINE.replace("stateMachine", "execution") + ":run-1"
COLUMNS = [{"name": name, "dtype": "float32"} for name in ("dew", "wind")]
SIGNATURE = Signature.from_document(
    {"schema": 1, "tensor": "x", "columns": COLUMNS, "outputs": [{"name": "probability"}, {"name": "rain"}]}
)


@pytest.fixture
def world() -> World:
    return World(SERVED)


def until_loading(world: World) -> None:
    while (run := world.state.run) is None or run.stage is not Stage.LOADING:
        world.pass_time(MINUTE)


def test_answers_are_loaded_after_all_files_and_before_the_run_is_done(world: World) -> None:
    world.deliver(world.start())
    until_loading(world)
    assert len(world.transforms.answered) == 5
    assert world.outcomes == [None]
    world.until_over()
    world.check_over()
    (run,) = world.store.runs.values()
    assert run["text"].endswith("10 answers can be asked for by key; 5 cannot, which the manifest names.")
    served = world.manifest(run["id"])["served"]
    assert (served["keep_days"], served["rows"], served["bad"], len(served["findings"])) == (30, 15, 5, 5)
    assert served["findings"][0] == {"file": 0, "line": 2, "key": "", "why": "bad"}


def test_files_that_were_not_loaded_are_loaded_by_another_execution(world: World) -> None:
    world.executions.loses = [2]
    world.deliver(world.start())
    world.until_over()
    world.check_over()
    first, second = (tasks for _, tasks in world.executions.begun.values())
    assert [task["file"] for task in second] == [task["file"] for task in first[:2]]
    assert [each["happened"] for each in world.events] == ["begun", "resumed", "done"]


def test_a_run_whose_answers_cannot_be_loaded_fails_and_the_next_one_begins(world: World) -> None:
    world.executions.loses = [1, 1, 1, 1]
    world.deliver(world.start())
    world.time += 1
    world.deliver(world.start())
    world.until_over()
    world.check_over()
    assert sorted(filter(None, world.outcomes)) == ["done", "failed"]
    assert any("1 of 5 answer files are not loaded" in fault for fault in world.faults)


def test_loading_ends_with_its_run_when_that_is_stopped_or_lasts_too_long(world: World) -> None:
    world.deliver(world.start())
    until_loading(world)
    world.deliver(world.stop())
    world.pass_time(2 * MINUTE)
    assert world.outcomes == ["stopped"]
    assert list(world.executions.ended.values()) == ["ABORTED"]
    late = World(SERVED)
    late.executions.settle = lambda: None  # type: ignore[method-assign]
    late.deliver(late.start())
    until_loading(late)
    late.pass_time(7 * HOUR)
    assert late.outcomes == ["failed"]
    late.check_over()


def test_nothing_is_loaded_for_a_run_that_was_stopped_before(world: World) -> None:
    world.deliver(world.start())
    until_loading(world)
    run = world.state.run
    assert run is not None
    world.executions.begun.clear()
    said = do(world.ports, SERVED, Load(replace(run, loading=7, stopping="somebody asked")))
    assert isinstance(said, LoadSeen)
    assert (said.left, said.under_way, world.executions.begun) == (5, False, {})


def test_loading_that_somebody_else_begins_meanwhile_is_not_taken_for_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.deliver(world.start())
    until_loading(world)
    run = world.state.run
    assert run is not None
    begun = iter([None, JobSeen("RUNNING")])
    monkeypatch.setattr(world.executions, "see", lambda name: next(begun))
    monkeypatch.setattr(world.objects, "listed", raising(RetryableError("SlowDown")))
    said = do(world.ports, SERVED, Load(run))
    assert isinstance(said, NotDone)
    assert said.under_way


def raising(error: Exception) -> Any:
    def call(*_: Any) -> Any:
        raise error

    return call


def test_rows_of_another_kind_than_the_answers_are_refused(world: World) -> None:
    said = world.start(content_type="application/jsonlines")
    world.deliver(said)
    assert not world.said_of(said).accepted
    assert "joined to text/csv only" in world.said_of(said).text


def test_what_is_known_of_rows_and_answers_is_read_back(world: World) -> None:
    world.deliver(world.start())
    run = world.state.run
    assert run is not None
    assert run.model is not None
    assert (run.model.width, run.model.outputs) == (8, ("rain",))
    assert read_state(json.loads(json.dumps(state_item(world.state)))) == world.state


def test_jobs_take_keys_off_rows_and_put_them_before_answers(world: World) -> None:
    world.deliver(world.start())
    run = world.state.run
    assert run is not None
    made = request("job", run, "s3://artefacts/m", SERVED)
    assert made["DataProcessing"] == {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,9:]"}
    assert made["TransformOutput"]["AssembleWith"] == "Line"
    service = botocore.session.get_session().get_service_model("sagemaker")
    validate_parameters(made, service.operation_model("CreateTransformJob").input_shape)


class Live:
    """The rollout table, SageMaker and the signatures."""

    def __init__(self, signature: Signature | None) -> None:
        self.signature = signature

    def load(self, endpoint: str) -> Any:
        live = SimpleNamespace(
            config="config-1", slot="blue", version="1.0.0", package_arn="arn:model-package/1", sha256=""
        )
        return SimpleNamespace(retired=False, live=live)

    def describe_endpoint_config(self, **_: Any) -> dict[str, Any]:
        return {"ProductionVariants": [{"VariantName": "blue", "ModelName": "model-1"}]}

    def describe_model(self, **_: Any) -> dict[str, Any]:
        container = {"Image": "serving:1", "ModelDataUrl": "s3://artefacts/model.tar.gz"}
        return {"ModelName": "model-1", "PrimaryContainer": container, "ExecutionRoleArn": "arn:aws:iam::1:role/run"}

    def of(self, served: Any) -> Signature | None:
        assert (served.slot, served.key) == ("blue", "arn:model-package/1")
        return self.signature


def test_how_wide_rows_are_is_the_signatures_word() -> None:
    known = Live(SIGNATURE)
    model = LiveModels(known, lambda: known, known).live("rain-local")  # type: ignore[arg-type]
    assert (model.width, model.outputs, model.served) == (2, ("probability", "rain"), True)
    unknown = Live(None)
    with pytest.raises(RetryableError, match=r"what 1\.0\.0 takes is not known"):
        LiveModels(unknown, lambda: unknown, unknown).live("rain-local")  # type: ignore[arg-type]
    assert not LiveModels(known, lambda: known).live("rain-local").served  # type: ignore[arg-type]


def test_a_tensor_is_as_wide_as_it_has_values() -> None:
    signature = Signature.from_document({"schema": 1, "tensor": "x", "row_shape": [2, 3]})
    assert signature.width == 6


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv(contract.ENV_LOAD_MACHINE, MACHINE)
    options = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    client = botocore.session.get_session().create_client("stepfunctions", **options)
    with Stubber(client) as stub:
        yield SimpleNamespace(stub=stub, own=StepFunctions(lambda: client))  # type: ignore[arg-type]
        stub.assert_no_pending_responses()


def test_executions_are_started_once_seen_and_stopped(states: Any) -> None:
    start = {"stateMachineArn": MACHINE, "name": "run-1", "input": '{"bucket": "b"}'}
    states.stub.add_response("start_execution", {"executionArn": EXECUTION, "startDate": 0}, start)
    states.stub.add_client_error("start_execution", "ExecutionAlreadyExists")
    states.stub.add_client_error("describe_execution", "ExecutionDoesNotExist")
    found = {"executionArn": EXECUTION, "stateMachineArn": MACHINE, "startDate": 0, "status": "FAILED", "error": "E"}
    states.stub.add_response("describe_execution", found, {"executionArn": EXECUTION})
    states.stub.add_response("stop_execution", {"stopDate": 0}, {"executionArn": EXECUTION, "cause": "why"})
    states.own.start("run-1", {"bucket": "b"})
    states.own.start("run-1", {"bucket": "b"})
    assert states.own.see("run-1") is None
    assert states.own.see("run-1") == JobSeen("FAILED", "E")
    states.own.stop("run-1", "why")


def test_a_run_that_is_no_longer_to_be_loaded_ends_by_name(
    world: World, states: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(contract.ENV_LOAD_MACHINE)
    seen = states.own.see("run-1")
    assert "batch.serve was left out" in seen.reason
    with pytest.raises(PermanentError, match=r"batch\.serve was left out"):
        states.own.start("run-1", {})
    world.executions.see = lambda name: seen  # type: ignore[method-assign]
    world.deliver(world.start())
    world.until_over()
    assert "batch.serve was left out" in next(iter(world.store.runs.values()))["text"]
    assert world.outcomes == ["failed"]


class Context:
    """Lambda's."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


SETTINGS: dict[str, Any] = {
    "endpoint": "rain-local",
    "auth": "api_key",
    "clients": {"key-1": {"name": "shop"}},
    "segments": [],
    "breaker": {},
    "batch": {"serve_days": 30},
}


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import a module of handlers under the settings above."""

    def imported(name: str, **more: Any) -> Any:
        monkeypatch.setenv(contract.ENV_FRONT_DOOR, json.dumps(SETTINGS | more))
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        front_door.cache_clear()
        sys.modules.pop(f"lambdas.inference.handlers.{name}", None)
        return importlib.import_module(f"lambdas.inference.handlers.{name}")

    yield imported
    front_door.cache_clear()
    for name in ("load", "predict"):
        sys.modules.pop(f"lambdas.inference.handlers.{name}", None)


def test_the_function_answers_with_the_task_that_goes_on(handler: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module, puts = handler("load"), []
    lines = [SimpleNamespace(content=b"a,0.5,1", end=8)]
    monkeypatch.setattr(module, "S3Lines", lambda: SimpleNamespace(lines=lambda *_: iter(lines)))
    monkeypatch.setattr(module, "S3Objects", lambda: SimpleNamespace(write=lambda *_: None))
    monkeypatch.setattr(module, "_dynamodb", lambda: SimpleNamespace(put_item=lambda **item: puts.append(item)))
    monkeypatch.setenv(contract.ENV_INFERENCE_TABLE, "inference")
    task = {"bucket": "b", "key": "k", "results": "r/", "file": 0, "run": "r", "at": 1.0, "version": "1", "model": "m"}
    found = module.handler({**task, "content_type": "text/csv", "outputs": ["p", "rain"]}, Context())
    assert (found["done"], found["byte"], found["line"]) == (True, 8, 1)
    assert json.dumps(found)
    assert puts[0]["Item"]["pk"] == {"S": "PREDICTION#rain-local#a"}
    with pytest.raises(PermanentError, match=r"no batch\.serve"):
        handler("load", batch={"attempts": 2}).handler(task, Context())


def by_key(key: str, method: str = "GET") -> dict[str, Any]:
    identity = {"apiKeyId": "key-1"}
    parameters = {"resource": "/predictions/{key}", "pathParameters": {"key": key}}
    return {"httpMethod": method, **parameters, "requestContext": {"identity": identity}}


def test_the_api_finds_answers_where_they_are_served_and_nowhere_else(
    handler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = handler("predict")
    found = SimpleNamespace(body='{"prediction":{"rain":1}}', version="1.0", time="Fri, 15 Jan 2027 07:00:00 GMT")
    asked: list[Any] = []
    monkeypatch.setattr(module, "_keyed", SimpleNamespace(find=lambda call: asked.append(call) or found))
    answer = module.handler(by_key("a%2Fb"), Context())
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"prediction": {"rain": 1}})
    said = {name: answer["headers"][name] for name in ("Tidegate-Answer", "Tidegate-Model-Version", "Last-Modified")}
    assert said == {"Tidegate-Answer": "batch", "Tidegate-Model-Version": "1.0", "Last-Modified": found.time}
    assert (asked[0].sent, asked[0].caller.client) == ("a%2Fb", "shop")
    assert asked[0].id == answer["headers"]["Tidegate-Prediction-Id"]
    assert module.handler(by_key("a", "POST"), Context())["statusCode"] == 405
    assert handler("predict", batch=None).handler(by_key("a"), Context())["statusCode"] == 404
