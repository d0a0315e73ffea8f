"""What hands jobs over and follows, as it speaks to AWS."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from lambdas import contract
from lambdas.inference.adapters.async_runtime import SageMakerAsyncRuntime
from lambdas.inference.adapters.refusals import of_failure
from lambdas.inference.following.adapters.sagemaker import SageMakerEndpoints
from lambdas.inference.following.adapters.scaling import ApplicationAutoscaling
from lambdas.inference.following.adapters.table import DynamoStandings
from lambdas.inference.following.ports import Seen
from lambdas.inference.following.standing import Standing
from lambdas.inference.handlers import follow
from lambdas.inference.ports import InvocationError
from lambdas.inference.settings import Asynchronous, Jobs
from lambdas.rollout.errors import ConflictError, PermanentError, RetryableError
from lambdas.rollout.handlers.custom_resource import Request, UnfinishedError
from tests.unit.inference.following_world import NAME, OWN, PLAN, World

TABLE = "tidegate-local-inference"


class Recorded:
    """A client that notes what it is asked, and answers or fails as it is told."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.asked = answers, list[tuple[str, dict[str, Any]]]()

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.asked.append((name, request))
            found = self.answers.get(name, {})
            if isinstance(found, Exception):
                raise found
            return found

        return call

    def __call__(self) -> "Recorded":
        return self


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Call")


# Handing over.


def test_a_request_names_rows_job_and_times() -> None:
    client = Recorded(invoke_endpoint_async={"OutputLocation": "s3://b/o", "FailureLocation": "s3://b/f"})
    found = SageMakerAsyncRuntime(OWN, client).invoke("s3://b/rows", "job-1", 600, 10)
    assert found == ("s3://b/o", "s3://b/f")
    ((_, request),) = client.asked
    assert request == {
        "EndpointName": OWN,
        "InputLocation": "s3://b/rows",
        "ContentType": "application/json",
        "Accept": "application/json",
        "InferenceId": "job-1",
        "RequestTTLSeconds": 600,
        "InvocationTimeoutSeconds": 10,
    }


@pytest.mark.parametrize(
    ("error", "slug"),
    [
        (refusal("ThrottlingException", "slowly"), "busy"),
        (refusal("ValidationError", "Endpoint jobs-rain-local not found"), "unavailable"),
        (EndpointConnectionError(endpoint_url="https://x"), "unavailable"),
    ],
)
def test_what_is_not_taken_is_a_problem(error: Exception, slug: str) -> None:
    with pytest.raises(InvocationError) as raised:
        SageMakerAsyncRuntime(OWN, Recorded(invoke_endpoint_async=error)).invoke("s3://b/rows", "job-1", 600, 10)
    assert raised.value.problem.slug == slug


CONTAINERS = '{"title": "Unprocessable", "detail": "row 1", "errors": [{"row": 1, "column": "wind", "reason": "no"}]}'


@pytest.mark.parametrize(
    ("reason", "left", "slug", "detail"),
    [
        ("ClientError: Received client error (422) from model. See ...", CONTAINERS, "invalid-input", "row 1"),
        ("", '{"status": 422, "detail": "row 1"}', "invalid-input", "row 1"),
        ("ClientError: Received server error (500) from model.", "boom", "model-failed", "the model failed"),
        ("ClientError: Received server error (503) from model.", "", "busy", "the model has more to do"),
        ("The request expired", "", "unavailable", "the model was not asked: The request expired"),
        ("", "could not download the input", "unavailable", "the model was not asked: could not download the input"),
    ],
)
def test_why_there_is_no_answer(reason: str, left: str, slug: str, detail: str) -> None:
    problem = of_failure(reason, left).problem
    assert problem.slug == slug
    assert problem.detail.startswith(detail)


# What it stands for.


@pytest.fixture
def standings(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoStandings]:
    monkeypatch.setenv(contract.ENV_INFERENCE_TABLE, TABLE)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        yield DynamoStandings(lambda: client)


def test_a_standing_is_read_as_it_was_written(standings: DynamoStandings) -> None:
    assert standings.load(NAME) == Standing(NAME)
    standing = Standing(NAME).changing("c-1", "v1", "k1", ("model/a", "config/b"), 12.5).settled(13.5)
    assert standings.save(standing.changing("c-1", "v1", "k1", (), 14.5).failed(15.5)) == standings.load(NAME)
    standing = replace(standing, version_of_item=1)
    saved = standings.save(replace(standing, scaled='[{"a": 1}, 2]'))
    assert standings.load(NAME) == saved
    assert (saved.version_of_item, saved.token) == (2, "1")
    assert standings.save(saved.gone()).version_of_item == 3


def test_a_standing_of_before_failures_were_counted_is_read(standings: DynamoStandings) -> None:
    saved = standings.save(Standing(NAME).changing("c-1", "v1", "k1", (), 12.5))
    boto3.client("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": contract.follower_partition(NAME)}, "sk": {"S": "STANDING"}},
        UpdateExpression="REMOVE failures, failed_at",
    )
    assert standings.load(NAME) == saved


@pytest.mark.parametrize("written", [0, 1])
def test_a_standing_that_has_changed_is_not_written_over(standings: DynamoStandings, written: int) -> None:
    first = standings.save(Standing(NAME))
    standings.save(first)
    with pytest.raises(ConflictError, match="has changed since it was read"):
        standings.save(replace(first, version_of_item=written))


# SageMaker.

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_an_endpoint_as_it_is_seen() -> None:
    described = {
        "EndpointStatus": "InService",
        "EndpointConfigName": "c",
        "ProductionVariants": [{"CurrentInstanceCount": 2}],
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
    }
    seen = SageMakerEndpoints(Recorded(describe_endpoint=described)).describe(OWN)  # type: ignore[arg-type]
    assert seen == Seen("InService", "c", "", 2, NOW.timestamp(), NOW.timestamp())
    missing = refusal("ValidationException", 'Could not find endpoint "x".')
    assert SageMakerEndpoints(Recorded(describe_endpoint=missing)).describe(OWN) == Seen("Missing")  # type: ignore[arg-type]


def test_what_instances_a_config_asks_for() -> None:
    client = Recorded(describe_endpoint_config={"ProductionVariants": [{"InstanceType": "ml.g5.xlarge"}]})
    assert SageMakerEndpoints(client).instance_type("c") == "ml.g5.xlarge"  # type: ignore[arg-type]
    missing = Recorded(describe_endpoint_config=refusal("ValidationException", "Could not find it"))
    assert SageMakerEndpoints(missing).instance_type("c") == ""  # type: ignore[arg-type]


def test_what_is_there_is_not_made_again_and_what_is_gone_is_deleted() -> None:
    existing = refusal("ValidationException", "Cannot create already existing model")
    missing = refusal("ValidationException", "Could not find it")
    client = Recorded(
        create_model=existing,
        create_endpoint_config=existing,
        create_endpoint=existing,
        delete_endpoint=missing,
        delete_endpoint_config=missing,
        delete_model=missing,
    )
    endpoints = SageMakerEndpoints(client)  # type: ignore[arg-type]
    endpoints.create_model({"ModelName": "m"})
    endpoints.create_config({"EndpointConfigName": "c"})
    endpoints.create(OWN, "c", {"a": "b"})
    for made in (f"endpoint/{OWN}", "config/c", "model/m"):
        endpoints.delete(made)
    assert [name for name, _ in client.asked] == list(client.answers)


def test_scaling_is_kept_and_released() -> None:
    scaling, alarms = Recorded(put_scaling_policy={"PolicyARN": "arn:policy"}), Recorded()
    kept = ApplicationAutoscaling(scaling, alarms)  # type: ignore[arg-type]
    kept.keep(replace(PLAN, asynchronous=Asynchronous(most_instances=5)))
    (_, target), *policies = scaling.asked
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 5)
    assert target["ResourceId"] == f"endpoint/{OWN}/variant/jobs"
    assert [each["PolicyType"] for _, each in policies] == ["TargetTrackingScaling", "StepScaling"]
    ((_, alarm),) = alarms.asked
    assert (alarm["AlarmName"], alarm["AlarmActions"]) == (contract.jobs_backlog_alarm(NAME), ["arn:policy"])
    kept.release(PLAN)
    assert scaling.asked[-1][0] == "deregister_scalable_target"
    assert alarms.asked[-1] == ("delete_alarms", {"AlarmNames": [contract.jobs_backlog_alarm(NAME)]})


# The function.


class FailingFollower:
    """A look that comes to that."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def look(self) -> None:
        raise self._error


class Warned(World):
    """A world whose log takes warnings."""

    def warning(self, message: str) -> None:
        self.log.append(message)


@pytest.mark.parametrize(
    ("error", "told"), [(RetryableError("later"), 0), (ConflictError("x"), 0), (PermanentError("denied"), 1)]
)
def test_only_what_a_person_must_put_right_is_told(error: Exception, told: int) -> None:
    world = Warned()
    follow.look(FailingFollower(error), world.ports(), NAME)  # type: ignore[arg-type]
    assert len(world.faults.reasons) == told
    assert len(world.log) == 1 - told


def request(kind: str, seconds: float = 600.0) -> Request:
    return Request(kind, {}, OWN, "owner", lambda: seconds)


def test_the_resource_begins_and_ends_with_its_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()

    def passing(seconds: float) -> None:
        world.time += seconds

    monkeypatch.setattr("lambdas.rollout.handlers.custom_resource.time.sleep", passing)
    retiring = follow.Retiring(world.ports(), PLAN)
    assert follow.act(request("Create"), retiring, OWN).physical_id == OWN
    world.minutes(5)
    follow.act(request("Update"), retiring, OWN)
    assert world.answers == "v1"
    with pytest.raises(UnfinishedError, match="delete the stack again"):
        follow.act(request("Delete", seconds=1.0), retiring, OWN)
    follow.act(request("Delete"), retiring, OWN)
    assert world.endpoints.endpoint is None


def test_settings_say_whether_jobs_have_an_endpoint() -> None:
    assert Jobs.of({"attempts": 2, "keep_days": 3}).asynchronous is None
    told = json.loads('{"attempts": 2, "keep_days": 3, "asynchronous": {"most_instances": 1}}')
    assert Jobs.of(told).asynchronous == Asynchronous(most_instances=1)
