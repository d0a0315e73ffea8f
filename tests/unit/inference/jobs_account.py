"""An account with the functions of jobs in it, called as API Gateway and SQS call them."""

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas import contract
from lambdas.inference import settings as front_door_settings
from lambdas.inference.handlers import wiring
from lambdas.inference.ports import InvocationError, Invoked
from lambdas.inference.problems import Problem

NAME, BUCKET, TABLE, ROLLOUTS = "rain-local", "artefacts", "tidegate-local-inference", "tidegate-local-rollouts"
ROUTE = {"live": {"slot": "blue", "version": "2.0.0", "key": "package/2"}, "candidate": None, "percent": 0}
SETTINGS = {
    "endpoint": NAME,
    "auth": "api_key",
    "clients": {"key-1": {"name": "shop", "tester": True}, "key-2": {"name": "bakery", "tester": False}},
    "segments": [],
    "breaker": {"failures": 1, "open_seconds": 60.0},
    "cache": {"seconds": 60, "stale_seconds": 600},
    "default_answer": {"rain": 0.5},
    "audit": {"keep_input": False, "redacted": []},
    "jobs": {"attempts": 3, "keep_days": 7},
}


@dataclass
class FakeRuntime:
    """The endpoint; `failures` are what it says to the next requests."""

    failures: list[Problem] = field(default_factory=list)
    asked: list[tuple[bytes, str | None, str, float]] = field(default_factory=list)

    def invoke(self, body: bytes, variant: str | None, prediction_id: str, seconds: float) -> Invoked:
        self.asked.append((body, variant, prediction_id, seconds))
        if self.failures:
            raise InvocationError(self.failures.pop(0), at_fault=True)
        return Invoked(json.dumps({"predictions": [0.25 for _ in json.loads(body)["instances"]]}), "blue")


class Context:
    """An invocation."""

    aws_request_id = "request-1"

    def __init__(self, seconds: float = 120.0) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


class Account:
    """The account, and the functions in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, Any]) -> None:
        self.s3, self.sqs = boto3.client("s3"), boto3.client("sqs")
        self.dynamodb, self.events = boto3.client("dynamodb"), boto3.client("events")
        self.s3.create_bucket(Bucket=BUCKET)
        for table in (TABLE, ROLLOUTS):
            self._create_table(table)
        self._put_route()
        self.queue = self.sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "720"})["QueueUrl"]
        self.dead = self.sqs.create_queue(QueueName="jobs-dead")["QueueUrl"]
        self.heard = self._listen()
        self.runtime = FakeRuntime()
        for name, value in {
            contract.ENV_FRONT_DOOR: json.dumps(settings),
            contract.ENV_INFERENCE_TABLE: TABLE,
            contract.ENV_TABLE: ROLLOUTS,
            contract.ENV_ARTEFACT_BUCKET: BUCKET,
            contract.ENV_JOBS_QUEUE_URL: self.queue,
            contract.ENV_JOBS_DEAD_QUEUE_URL: self.dead,
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(wiring, "SageMakerRuntime", lambda *_: self.runtime)
        front_door_settings.front_door.cache_clear()
        self.jobs, self.work = _fresh("jobs"), _fresh("work")

    def _create_table(self, name: str) -> None:
        keys = (contract.TABLE_PARTITION_KEY, contract.TABLE_SORT_KEY)
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
            ],  # type: ignore[typeddict-item]
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )

    def _put_route(self) -> None:
        key = {"pk": contract.endpoint_partition(NAME), "sk": "STATE"}
        boto3.resource("dynamodb").Table(ROLLOUTS).put_item(Item={**key, contract.ROUTE_ATTRIBUTE: ROUTE})

    def _listen(self) -> str:
        heard = self.sqs.create_queue(QueueName="heard")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=heard, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.events.put_rule(Name="jobs", EventPattern=json.dumps({"source": [contract.INFERENCE_EVENT_SOURCE]}))
        self.events.put_targets(Rule="jobs", Targets=[{"Id": "1", "Arn": arn}])
        return heard

    def call(
        self, method: str, path: str, body: Any = None, key: str = "key-1", **headers: str
    ) -> tuple[int, Any, Any]:
        """Send a request as API Gateway hands it on."""
        resource, _, identity = path.partition("/jobs/")
        event = {
            "httpMethod": method,
            "resource": "/jobs/{id}" if identity else resource,
            "pathParameters": {"id": identity} if identity else None,
            "headers": {"content-type": "application/json"} | {n.replace("_", "-"): v for n, v in headers.items()},
            "body": body if body is None or isinstance(body, str) else json.dumps(body),
            "requestContext": {"identity": {"apiKeyId": key}},
        }
        answer = self.jobs.handler(event, Context())
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]

    def post(self, rows: Any = ((1.0, 2.0),), **options: str) -> tuple[int, Any, Any]:
        return self.call("POST", "/jobs", {"instances": list(rows)}, **options)

    def received(self, queue: str) -> list[Any]:
        """Take what is in a queue."""
        answer = self.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
        )
        return list(answer.get("Messages", []))

    def run(self, seconds: float = 120.0) -> Any:
        """Let the worker's event source take what is in the queue, as Lambda does."""
        messages = self.received(self.queue)
        records = [
            {"messageId": each["MessageId"], "receiptHandle": each["ReceiptHandle"], "body": each["Body"]}
            for each in messages
        ]
        answer = self.work.handler({"Records": records}, Context(seconds))
        again = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        for each in messages:
            if each["MessageId"] not in again:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
        return answer["batchItemFailures"]

    def be_visible(self) -> None:
        """Let the time pass for which messages were put off."""
        for message in self._messages():
            message.visible_at = message.delayed_until = 0

    def delays(self) -> list[int]:
        """Return after how many seconds each message in the queue can be received first."""
        return [round((each.delayed_until - each.sent_timestamp) / 1000) for each in self._messages()]

    def _messages(self) -> Any:
        return sys.modules["moto.sqs.models"].sqs_backends["123456789012"]["us-east-1"].queues["jobs"]._messages


def _fresh(name: str) -> Any:
    sys.modules.pop(f"lambdas.inference.handlers.{name}", None)
    return importlib.import_module(f"lambdas.inference.handlers.{name}")


@contextmanager
def account_with(monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, Any] = SETTINGS) -> Iterator[Account]:
    """Return an account whose front door is set so."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield Account(monkeypatch, settings)
    front_door_settings.front_door.cache_clear()
