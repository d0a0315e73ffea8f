"""The functions' entry points: what arrives as an event, and what CloudFormation is told."""

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

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
        {"source": "aws.sagemaker", "detail": {"EndpointName": "rain-local", "EndpointStatus": "IN_SERVICE"}},
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
    assert react.endpoint_of_alarm("billing") is None
    assert react.endpoint_of_alarm("rain-local-blue-unhealthy") == "rain-local"


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
    react.handler({"source": "aws.sagemaker", "detail": {"EndpointName": "rain-local"}}, Context())
    looks = len(wired.looks)
    wired.pass_time(5)
    assert len(wired.looks) > looks


def test_sweep_raises_what_a_person_must_put_right(wired: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(name: str) -> None:
        raise PermanentError("AccessDeniedException: sagemaker:DescribeEndpoint")

    monkeypatch.setattr(wired.sagemaker, "describe", denied)
    with pytest.raises(PermanentError, match=r"rain-local: .*sagemaker:DescribeEndpoint"):
        tick.handler({}, Context())


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
    return Request(kind, properties, physical_id, "owner", lambda: 100.0)


def test_seed_answers_an_update_with_what_it_was_created_with() -> None:
    seeds = Seeds(MemoryTable())
    created = seed.act(request("Create", Key="rain-local", Image="a", Count="1"), seeds)
    assert created == Answer("rain-local", {"Image": "a", "Count": "1"})
    assert seed.act(request("Update", "rain-local", Key="rain-local", Image="b"), seeds) == created
    moved = seed.act(request("Update", "rain-local", Key="snow-local", Image="b"), seeds)
    assert moved == Answer("snow-local", {"Image": "b"})
    assert seed.act(request("Delete", "rain-local", Key="rain-local"), seeds).physical_id == "rain-local"
    assert seed.act(request("Create", Key="rain-local", Image="c"), seeds).data == {"Image": "c"}


def test_fleet_is_submitted_and_the_endpoint_retired_on_deletion(world: Any, fleet: Fleet) -> None:
    bigger = replace(fleet, max_instances=9)
    submitted = {"EndpointName": "rain-local", "Fleet": json.dumps(bigger.to_dict())}
    fleets = Fleets(world.ports)
    assert (
        fleet_handler.act(request("Update", "fleet-rain-local", **submitted), fleets).physical_id == "fleet-rain-local"
    )
    assert world.store.state.desired_fleet == bigger
    fleet_handler.act(request("Delete", "fleet-rain-local", **submitted), fleets)
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
