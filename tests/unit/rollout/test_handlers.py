"""The functions' entry points: what arrives as an event, and what CloudFormation is told."""

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas import contract
from lambdas.contract import SEED_NONCE
from lambdas.rollout.adapters.clients import TimeLimit
from lambdas.rollout.errors import PermanentError
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.fleets import Fleets
from lambdas.rollout.handlers import admit, react, seed, tick, wiring
from lambdas.rollout.handlers import fleet as fleet_handler
from lambdas.rollout.handlers.custom_resource import Answer, Request, UnfinishedError, answer
from lambdas.rollout.seeds import Seeds
from lambdas.rollout.state import Phase


@dataclass
class Context:
    """What Lambda tells a function of its invocation."""

    remaining: int = 60_000
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        self.remaining -= 1_000
        return self.remaining


@pytest.fixture
def wired(world: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(wiring, "time_limit", TimeLimit())
    monkeypatch.setenv(contract.ENV_ENVIRONMENT, "local")
    for module in (admit, react, tick):
        monkeypatch.setattr(module, "real_ports", lambda: world.ports)
    return world


def sqs(*bodies: Any) -> dict[str, Any]:
    return {"Records": [{"messageId": str(n), "body": json.dumps(body)} for n, body in enumerate(bodies)]}


def package_event(world: Any, arn: str) -> dict[str, Any]:
    detail = {"ModelPackageGroupName": "rain-local", "ModelPackageArn": arn, "ModelApprovalStatus": "Approved"}
    return {"time": "2027-01-15T08:00:00Z", "detail": detail}


def test_approval_is_admitted_and_a_bad_message_alone_comes_again(wired: Any) -> None:
    arn = wired.register()
    wired.decide(arn, "Approved", tell=False)
    result = admit.handler(sqs({"no": "detail"}, package_event(wired, arn)), Context())
    assert result == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert wired.store.state.queued.package_arn == arn


@pytest.mark.parametrize(
    "event",
    [
        {"source": "aws.cloudwatch", "detail": {"alarmName": "rain-local-green-unhealthy"}},
        sqs({"endpoint": "rain-local"}),
    ],
)
def test_event_has_the_endpoint_looked_at(wired: Any, event: dict[str, Any]) -> None:
    wired.approve()
    wired.until_phase(Phase.BAKE)
    wired.alarms.bad["green"] = "ALARM"
    react.handler(event, Context())
    assert wired.store.state.rollout.phase is Phase.ROLLBACK
    wired.until_over()


def test_alarm_of_something_else_is_no_endpoint() -> None:
    assert contract.endpoint_of_alarm("billing") is None
    assert contract.endpoint_of_alarm("rain-local-blue-unhealthy") == "rain-local"


def test_operator_command_is_made_durable_and_obeyed(wired: Any) -> None:
    wired.approve()
    wired.until_phase(Phase.BAKE)
    detail = {"endpoint": "rain-local", "command": "abort", "id": "c9", "by": "anna"}
    event = {"source": "tidegate.operator", "id": "e1", "time": "2027-01-15T08:01:00Z", "detail": detail}
    react.handler(event, Context())
    assert wired.store.state.rollout.abort_reason == "anna asked for it"
    wired.until_over()


def test_event_that_finds_the_endpoint_leased_is_followed_up(wired: Any) -> None:
    wired.store.save(replace(wired.store.state, lease_owner="w", lease_until=wired.clock.now() + 1), now=0)
    react.handler({"source": "aws.cloudwatch", "detail": {"alarmName": "rain-local-green-unhealthy"}}, Context())
    looks = len(wired.looks)
    wired.pass_time(5)
    assert len(wired.looks) > looks


def test_endpoint_that_has_changed_is_looked_at_with_the_next_timers(wired: Any) -> None:
    wired.pass_time(1)
    looks = len(wired.looks)
    detail = {"EndpointName": "rain-local", "EndpointStatus": "IN_SERVICE"}
    react.handler({"source": "aws.sagemaker", "detail": detail}, Context())
    assert wired.alarms.expected == []
    wired.pass_time(0.1)
    assert len(wired.looks) == looks + 1


@pytest.mark.parametrize("fate", ["hangs", "crashes"])
def test_endpoint_in_the_same_batch_keeps_no_other_from_being_rolled_back(wired: Any, fate: str) -> None:
    wired.approve()
    wired.until_phase(Phase.BAKE)
    wired.alarms.bad["green"] = "ALARM"
    rolled_back, in_time, load = threading.Event(), list[bool](), wired.store.load
    wired.sagemaker.set_weights = lambda name, weights: rolled_back.set()

    def troubled(name: str) -> Any:
        if name != "other-local":
            return load(name)
        if fate == "hangs":
            in_time.append(rolled_back.wait(5))
        raise KeyError(fate)

    wired.store.load = troubled
    answer = react.handler(sqs({"endpoint": "other-local"}, {"endpoint": "rain-local"}), Context())
    assert rolled_back.is_set()
    assert all(in_time)
    assert wired.alarms.expected == ["other-local", "rain-local"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}


def test_two_timers_of_one_endpoint_in_a_batch_never_share_a_lease(wired: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    owners: list[str] = []
    monkeypatch.setattr(react.Engine, "run", lambda engine, name, due=None: owners.append(engine._owner))
    react.handler(sqs({"endpoint": "rain-local"}, {"endpoint": "rain-local", "due": 1.0}), Context())
    assert len(set(owners)) == 2


@pytest.mark.parametrize(("value", "age", "taken"), [("ALARM", 2, True), ("ALARM", 40, False), ("OK", 2, False)])
def test_news_of_an_alarm_is_passed_on_in_case_it_cannot_be_read(
    wired: Any, value: str, age: float, taken: bool
) -> None:
    at = datetime.fromtimestamp(wired.clock.now() - age, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    detail = {"alarmName": "rain-local-green-unhealthy", "state": {"value": value, "reason": "r"}}
    react.handler({"source": "aws.cloudwatch", "time": at, "detail": detail}, Context())
    assert wired.alarms.heard == (["rain-local-green-unhealthy"] if taken else [])


def test_alarms_of_an_event_are_never_read_ahead(wired: Any) -> None:
    react.handler({"source": "aws.cloudwatch", "detail": {"alarmName": "rain-local-green-unhealthy"}}, Context())
    assert wired.alarms.expected == []


def test_lines_of_endpoints_that_are_worked_on_side_by_side_name_their_own(
    wired: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    both = threading.Barrier(2, timeout=5)
    log = wiring.PowertoolsLog()

    def run(engine: Any, name: str, due: float | None = None) -> None:
        log.bind(endpoint=name)
        both.wait()
        said[name] = wiring.logger.thread_safe_get_current_keys()["endpoint"]

    said: dict[str, str] = {}
    monkeypatch.setattr(react.Engine, "run", run)
    react.handler(sqs({"endpoint": "a"}, {"endpoint": "b"}), Context())
    assert said == {"a": "a", "b": "b"}


def faults_counted(output: str) -> list[float]:
    """Return the values of the metric that is written into the log."""
    written = [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
    for each in written:
        (metric,) = each["_aws"]["CloudWatchMetrics"]
        assert (metric["Namespace"], metric["Dimensions"]) == (contract.METRIC_NAMESPACE, [["environment"]])
        assert each["environment"] == "local"
    return [value for each in written for value in each[contract.FAULTS_METRIC]]


def errors_logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelname == "ERROR"]


def test_sweep_logs_and_counts_what_a_person_must_put_right(
    wired: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def denied(name: str) -> None:
        raise PermanentError("AccessDeniedException: sagemaker:DescribeEndpoint")

    tick.handler({}, Context())
    assert faults_counted(capsys.readouterr().out) == [0]
    monkeypatch.setattr(wired.sagemaker, "describe", denied)
    tick.handler({}, Context())
    assert faults_counted(capsys.readouterr().out) == [1]
    assert errors_logged(caplog) == ["AccessDeniedException: sagemaker:DescribeEndpoint"]
    assert wiring.logger.thread_safe_get_current_keys()["endpoint"] == "rain-local"


def test_sweep_that_could_not_run_fails(wired: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied() -> None:
        raise PermanentError("AccessDeniedException: dynamodb:Query")

    monkeypatch.setattr(wired.store, "active", denied)
    with pytest.raises(PermanentError, match="dynamodb:Query"):
        tick.handler({}, Context())


def test_fault_that_an_event_meets_is_counted_as_well(
    wired: Any, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    wired.sagemaker.refusals = {"create_model": [PermanentError("AccessDeniedException: sagemaker:CreateModel")]}
    wired.approve()
    react.handler(sqs({"endpoint": "rain-local"}), Context())
    assert faults_counted(capsys.readouterr().out) == [1]
    assert "sagemaker:CreateModel" in errors_logged(caplog)[0]
    wired.until_over()


def test_two_runs_of_one_asynchronous_event_never_share_a_lease() -> None:
    assert wiring.begin(Context()) != wiring.begin(Context())


def test_importing_the_handlers_makes_no_client() -> None:
    names = ", ".join(f"lambdas.rollout.handlers.{name}" for name in ("admit", "react", "tick", "fleet", "cleanup"))
    code = f"import sys, {names}; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class CloudFormation:
    """Takes answers of custom resources over HTTP; refuses the first `failures` of them."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.failures = 0
        told = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told.failures -= 1
                if told.failures < 0:
                    told.answers.append(json.loads(body))
                self.send_response(503 if told.failures >= 0 else 200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)

    def event(self, kind: str, physical_id: str | None = None, **properties: Any) -> dict[str, Any]:
        event = {
            "RequestType": kind,
            "ResponseURL": f"http://127.0.0.1:{self.server.server_port}/answer",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Logical",
            "ResourceProperties": {"ServiceToken": "arn", **properties},
        }
        return {**event, "PhysicalResourceId": physical_id} if physical_id else event


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    listening = CloudFormation()
    thread = threading.Thread(target=listening.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield listening
    listening.server.shutdown()
    thread.join()
    listening.server.server_close()


def test_cloudformation_is_told_of_success(cloudformation: CloudFormation) -> None:
    answer(cloudformation.event("Create"), Context(), "fallback", lambda request: Answer("id", {"a": "b"}))
    [told] = cloudformation.answers
    assert (told["Status"], told["PhysicalResourceId"], told["Data"]) == ("SUCCESS", "id", {"a": "b"})
    assert (told["StackId"], told["RequestId"], told["LogicalResourceId"]) == ("stack", "request", "Logical")


def test_cloudformation_is_told_of_failure_with_the_reason(cloudformation: CloudFormation) -> None:
    def fail(request: Request) -> Answer:
        raise ValueError("fleet.colour is unknown")

    answer(cloudformation.event("Update", "kept"), Context(), "fallback", fail)
    [told] = cloudformation.answers
    assert (told["Status"], told["PhysicalResourceId"]) == ("FAILED", "kept")
    assert "fleet.colour is unknown" in told["Reason"]


def test_answer_is_repeated_until_it_is_taken(cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    cloudformation.failures = 2
    answer(cloudformation.event("Create"), Context(), "fallback", lambda request: Answer("id"))
    assert len(cloudformation.answers) == 1


class MemoryTable:
    """Seeds' items in memory."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}

    def get(self, key: Any) -> dict[str, Any] | None:
        return self.items.get(key["pk"])

    def put_new(self, item: Any) -> None:
        self.items.setdefault(item["pk"], dict(item))

    def delete(self, key: Any) -> None:
        self.items.pop(key["pk"], None)


def request(kind: str, physical_id: str | None = None, **properties: Any) -> Request:
    return Request(kind, properties, physical_id, "owner", lambda: 100.0, identity="made")


def test_seed_answers_an_update_with_what_it_was_created_with() -> None:
    seeds = Seeds(MemoryTable())
    created = seed.act(request("Create", Key="rain-cpu", Image="a", Count="1"), "r1", seeds)
    assert created == Answer("rain-cpu", {"Image": "a", "Count": "1", SEED_NONCE: created.data[SEED_NONCE]})
    assert seed.act(request("Create", Key="rain-cpu", Image="a", Count="1"), "r1", seeds) == created
    assert seed.act(request("Update", "rain-cpu", Key="rain-cpu", Image="b"), "r2", seeds) == created
    assert seed.act(request("Delete", "rain-cpu", Key="rain-cpu"), "r3", seeds).physical_id == "rain-cpu"
    again = seed.act(request("Create", Key="rain-cpu", Image="c"), "r4", seeds)
    assert again.data["Image"] == "c"
    assert again.data[SEED_NONCE] != created.data[SEED_NONCE]


def test_seed_of_another_shape_is_recorded_anew_and_the_way_back_finds_the_old_record() -> None:
    seeds = Seeds(MemoryTable())
    created = seed.act(request("Create", Key="rain-cpu", Image="a"), "r1", seeds)
    moved = seed.act(request("Update", "rain-cpu", Key="rain-gpu", Image="b"), "r2", seeds)
    assert moved.physical_id == "rain-gpu"
    assert moved.data["Image"] == "b"
    assert moved.data[SEED_NONCE] != created.data[SEED_NONCE]
    assert seed.act(request("Update", "rain-gpu", Key="rain-cpu", Image="edited"), "r3", seeds) == created


def test_seed_that_is_moved_to_and_fro_never_has_the_same_nonce_twice() -> None:
    seeds, nonces, before = Seeds(MemoryTable()), set[str](), "rain-cpu"
    seed.act(request("Create", Key=before), "r0", seeds)
    for number, key in enumerate(("rain-gpu", "rain-cpu", "rain-gpu"), start=1):
        nonces.add(seed.act(request("Update", before, Key=key), f"update-{number}", seeds).data[SEED_NONCE])
        seed.act(request("Delete", before, Key=before), f"delete-{number}", seeds)
        before = key
    assert len(nonces) == 3


def test_seed_takes_its_nonce_from_the_request(cloudformation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = iter((table := MemoryTable(), table, MemoryTable()))
    monkeypatch.setattr(seed, "DynamoStore", lambda: next(tables))
    for _ in range(3):
        seed.handler(cloudformation.event("Create", Key="rain-cpu", Image="a"), Context())
    first, doubled, elsewhere = [told["Data"] for told in cloudformation.answers]
    assert first == doubled == elsewhere
    assert len(first[SEED_NONCE]) == 8


def test_fleet_is_submitted_and_the_endpoint_retired_on_deletion(world: Any, fleet: Fleet) -> None:
    bigger = replace(fleet, max_instances=9)
    submitted = {"EndpointName": "rain-local", "Fleet": json.dumps(bigger.to_dict())}
    fleets = Fleets(world.ports)
    assert fleet_handler.act(request("Update", "old", **submitted), fleets).physical_id == "made"
    assert world.store.state.desired_fleet == bigger
    fleet_handler.act(request("Delete", "made", **submitted), fleets)
    assert world.store.state.retired


def test_deletion_of_a_busy_endpoint_says_so_in_time(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    world.endpoint.begin(1e6, lambda: None)
    context = Context(30_000)
    hurried = Request(
        "Delete", {"EndpointName": "rain-local"}, "id", "owner", lambda: context.get_remaining_time_in_millis() / 1000
    )
    with pytest.raises(UnfinishedError, match="still being updated"):
        fleet_handler.act(hurried, Fleets(world.ports))
