"""One local cloud for all of these tests, and short ways to make roles and functions on it."""

import io
import itertools
import json
import textwrap
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.localcloud.jobs import Jobs
from tests.localcloud.pipeline_definitions import Pipelines
from tests.logged import messages
from tests.queues import let_send, make_queue

_names = itertools.count(1)

PATIENCE_SECONDS = 60.0
"""Far more than anything here takes on a busy machine."""

LOGS = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "*",
}


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def package(source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", textwrap.dedent(source))
    return buffer.getvalue()


@dataclass
class Workshop:
    """Makes things on a cloud."""

    cloud: LocalCloud

    def name(self, prefix: str) -> str:
        return f"{prefix}-{next(_names)}"

    def role(self, *statements: dict[str, Any], service: str = "lambda.amazonaws.com") -> str:
        iam, name = self.cloud.client("iam"), self.name("role")
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=document)
        return arn

    def function(self, source: str, *statements: dict[str, Any], **settings: Any) -> str:
        name = self.name("function")
        self.cloud.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.14",
            Handler="app.handler",
            Role=self.role(LOGS, *statements),
            Code={"ZipFile": package(source)},
            **{"Timeout": 20, **settings},
        )
        return name

    def package(self, source: str) -> bytes:
        return package(source)

    def function_arn(self, name: str) -> str:
        arn: str = self.cloud.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
        return arn

    def queue(self, **attributes: str) -> tuple[str, str]:
        """Return URL and ARN of a fresh queue."""
        return make_queue(self.cloud.client("sqs"), self.name("queue"), **attributes)

    def allow(self, queue_url: str, queue_arn: str, service: str, source_arn: str | None = None) -> None:
        let_send(self.cloud.client("sqs"), (queue_url, queue_arn), service, source_arn)

    def messages(self, queue_url: str, seconds: float = PATIENCE_SECONDS, count: int = 1) -> list[dict[str, Any]]:
        """Return messages of a queue, as soon as there are `count`."""
        sqs, found, deadline = self.cloud.client("sqs"), [], time.monotonic() + seconds
        while len(found) < count and time.monotonic() < deadline:
            answer = sqs.receive_message(
                QueueUrl=queue_url, WaitTimeSeconds=1, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            )
            for message in answer.get("Messages", []):
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
                found.append(message)
        return found

    def rule(self, pattern: dict[str, Any], target_arn: str, **target: Any) -> str:
        events, name = self.cloud.client("events"), self.name("rule")
        arn: str = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
        events.put_targets(Rule=name, Targets=[{"Id": "target", "Arn": target_arn, **target}])
        return arn

    def permit(self, function: str, service: str, source_arn: str) -> None:
        self.cloud.client("lambda").add_permission(
            FunctionName=function,
            StatementId=self.name("sid"),
            Action="lambda:InvokeFunction",
            Principal=service,
            SourceArn=source_arn,
        )

    def put_event(self, source: str, detail: dict[str, Any]) -> None:
        entry = {"Source": source, "DetailType": "Test", "Detail": json.dumps(detail)}
        answer = self.cloud.client("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0

    def invoke(self, function: str, payload: Any = None, **options: Any) -> dict[str, Any]:
        answer = self.cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(payload), **options)
        body = answer["Payload"].read()
        return {**answer, "Payload": json.loads(body) if body else None}

    def log_text(self, function: str) -> str:
        return "\n".join(messages(self.cloud.client("logs"), f"/aws/lambda/{function}"))

    def metric(self, namespace: str, name: str, **dimensions: str) -> float:
        """Return the sum of a metric over the last minutes."""
        now = time.time()
        answer = self.cloud.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - 300,
            EndTime=now + 60,
            Period=60,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"])


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Return the condition's first true value; fail when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("it did not come true in time")


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        yield running


@pytest.fixture(scope="module")
def workshop(cloud: LocalCloud) -> Workshop:
    return Workshop(cloud)


@pytest.fixture(autouse=True)
def _no_faults_left(cloud: LocalCloud) -> Iterator[None]:
    yield
    cloud.faults.clear()


@pytest.fixture(scope="module")
def wait_until() -> Callable[..., Any]:
    return eventually


@pytest.fixture(scope="module")
def jobs(cloud: LocalCloud, workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    return Jobs(cloud, workshop, tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def pipelines(jobs: Jobs) -> Pipelines:
    return Pipelines(jobs)
