"""An account in memory: as much of AWS as the command line touches."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from lambdas.retraining import items as retraining_items
from lambdas.retraining.decision import Entry as RetrainingEntry
from lambdas.retraining.state import State as RetrainingState
from lambdas.retraining.state import Summary
from lambdas.rollout.decision import Entry
from lambdas.rollout.episode import Episode
from lambdas.rollout.items import audit_item, episode_item, state_item, summary_item
from lambdas.rollout.state import Rollout, State
from tests.unit.tidegate.states import FLEET, NOW, POLICY
from tidegate.aws import Aws
from tidegate.settings import EndpointSettings, find_endpoint

BUCKET = "tidegate-local-artefacts"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/serving:one"
SETTINGS = {
    "schema": 1,
    "environment": "local",
    "endpoint": "rain-local",
    "execution_role_arn": "arn:aws:iam::123456789012:role/model",
    "image_repositories": [IMAGE.rpartition(":")[0]],
    "artefact_bucket": BUCKET,
    "policy": POLICY.to_dict(),
    "fleet": {**FLEET.to_dict(), "image": IMAGE},
}


DECLARED: Mapping[str, Mapping[str, Any]] = {
    "monitoring": {
        "bucket": BUCKET,
        "window_minutes": 60,
        "delay_minutes": 10,
        "label_delay_windows": 24,
        "slices": [],
        "outputs": None,
        "baseline_max_age_days": 365,
        "small_window_megabytes": 20,
        "floors": {"moderate": 0.02, "severe": 0.1},
        "bootstrap_baseline": None,
        "bootstrap_version": "1.0.0",
        "job": None,
    },
    "retraining": {
        "schema": 1,
        "environment": "local",
        "bucket": BUCKET,
        "pipeline": "rain-local",
        "on_drift": {"severe_features": 2, "windows": 2, "of": 3},
        "schedule_days": None,
        "on_new_data": False,
        "cooldown_minutes": 60,
        "monthly_runs": 8,
        "least_gain_percent": 1,
        "approval": "manual",
    },
}
MONITORING_TABLE, RETRAINING_TABLE = "tidegate-local-monitoring", "tidegate-local-retraining"

SERIALIZER = TypeSerializer()


def client_error(code: str, message: str) -> ClientError:
    error: Any = {"Error": {"Code": code, "Message": message}}
    return ClientError(error, "Operation")


def without(item: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in names}


def _numbers(value: Any) -> Any:
    """Return a value as DynamoDB's client takes it: it refuses floating point."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, Mapping):
        return {name: _numbers(each) for name, each in value.items()}
    return [_numbers(each) for each in value] if isinstance(value, list) else value


class Pages:
    """A paginator that gives each item on a page of its own, so that code which reads one page only is found out."""

    def __init__(self, key: str, items: list[Any]) -> None:
        self._key = key
        self._items = items

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {self._key: []}
        for item in self._items:
            yield {self._key: [item]}


@dataclass
class FakeSsm:
    parameters: dict[str, str] = field(default_factory=dict)

    def get_paginator(self, name: str) -> Any:
        assert name == "get_parameters_by_path"
        return self

    def paginate(self, *, Path: str) -> Iterator[dict[str, Any]]:
        found = [{"Value": value} for name, value in self.parameters.items() if name.startswith(f"{Path}/")]
        return Pages("Parameters", found).paginate()


@dataclass
class FakeS3:
    objects: dict[str, bytes] = field(default_factory=dict)
    denied: bool = False

    def upload_file(self, filename: str, bucket: str, key: str, *, ExtraArgs: Any, Config: Any) -> None:
        assert ExtraArgs == {"ChecksumAlgorithm": "SHA256"}
        assert Config.multipart_threshold > 100 * 1024**2, "of parts, S3 has no checksum of the whole"
        self.objects[f"s3://{bucket}/{key}"] = Path(filename).read_bytes()

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        assert ContentType
        self.objects[f"s3://{Bucket}/{Key}"] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        content = self._content(Bucket, Key, "NoSuchKey")
        return {"Body": io.BytesIO(content), "ContentLength": len(content)}

    def head_object(self, *, Bucket: str, Key: str, ChecksumMode: str) -> dict[str, Any]:
        assert ChecksumMode == "ENABLED", "S3 leaves the checksum out unless asked for"
        digest = hashlib.sha256(self._content(Bucket, Key, "404")).digest()
        return {"ChecksumSHA256": base64.b64encode(digest).decode()}

    def _content(self, bucket: str, key: str, code: str) -> bytes:
        if self.denied:
            raise client_error("AccessDenied", "not authorized to perform: s3:GetObject")
        if (uri := f"s3://{bucket}/{key}") not in self.objects:
            raise client_error(code, "The specified key does not exist.")
        return self.objects[uri]


@dataclass
class FakeKms:
    """A key whose signature of a message is the message."""

    error: Exception | None = None
    signed: list[bytes] = field(default_factory=list)

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> dict[str, bytes]:
        assert (MessageType, SigningAlgorithm) == ("RAW", "ECDSA_SHA_256")
        if self.error is not None:
            raise self.error
        self.signed.append(Message)
        return {"Signature": self._signature(KeyId, Message)}

    def verify(
        self, *, KeyId: str, Message: bytes, MessageType: str, Signature: bytes, SigningAlgorithm: str
    ) -> dict[str, bool]:
        assert (MessageType, SigningAlgorithm) == ("RAW", "ECDSA_SHA_256")
        if self.error is not None:
            raise self.error
        if Signature != self._signature(KeyId, Message):
            raise client_error("KMSInvalidSignatureException", "")
        return {"SignatureValid": True}

    @staticmethod
    def _signature(key: str, message: bytes) -> bytes:
        return key.encode() + hashlib.sha256(message).digest()


@dataclass
class FakeSageMaker:
    packages: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    endpoint: dict[str, Any] | None = None
    configs: dict[str, dict[str, str]] = field(default_factory=dict)
    config_calls: int = 0

    def create_model_package(self, **request: Any) -> dict[str, str]:
        number = len(self.packages) + 1
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{request['ModelPackageGroupName']}/{number}"
        answered = {"ModelPackageStatus": "Completed", "CreationTime": datetime(2026, 1, number, tzinfo=UTC)}
        self.packages.append(request | {"ModelPackageArn": arn, "ModelPackageVersion": number} | answered)
        return {"ModelPackageArn": arn}

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        return next(package for package in self.packages if package["ModelPackageArn"] == ModelPackageName)

    def update_model_package(self, **request: Any) -> None:
        self.updates.append(request)
        package = self.describe_model_package(ModelPackageName=request["ModelPackageArn"])
        changes = dict(request)
        added = changes.pop("CustomerMetadataProperties", {})
        removed = changes.pop("CustomerMetadataPropertiesToRemove", [])
        package.update(changes)
        # As SageMaker does, it adds to the metadata that are there.
        metadata = {**package.get("CustomerMetadataProperties", {}), **added}
        package["CustomerMetadataProperties"] = {key: metadata[key] for key in metadata if key not in removed}

    def get_paginator(self, name: str) -> Pages:
        assert name == "list_model_packages"
        return Pages("ModelPackageSummaryList", list(reversed(self.packages)))

    def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:
        if self.endpoint is None:
            error: Any = {"Code": "ValidationException", "Message": f'Could not find endpoint "{EndpointName}".'}
            raise ClientError({"Error": error}, "DescribeEndpoint")
        return self.endpoint

    def describe_endpoint_config(self, *, EndpointConfigName: str) -> dict[str, Any]:
        self.config_calls += 1
        variants = self.configs[EndpointConfigName]
        return {"ProductionVariants": [{"VariantName": name, "ModelName": model} for name, model in variants.items()]}

    def describe_model(self, *, ModelName: str) -> dict[str, Any]:
        return {"PrimaryContainer": {"ModelDataUrl": ModelName}}


@dataclass
class FakeDynamoDb:
    """As much of Query as the command line uses; `test_trail.py` asks the same of moto."""

    items: list[dict[str, Any]] = field(default_factory=list)
    failing: list[Exception] = field(default_factory=list)
    others: dict[str, dict[tuple[str, str], dict[str, Any]]] = field(default_factory=dict)
    """Items of the tables beside the rollouts', by table and key; a table that has none does not exist."""

    def put(self, sk: str, *, endpoint: str = "rain-local", **values: Any) -> None:
        item = {"pk": f"ENDPOINT#{endpoint}", "sk": sk, **values}
        self.items = [each for each in self.items if (each["pk"], each["sk"]) != (item["pk"], sk)] + [item]

    def put_into(self, table: str, item: Mapping[str, Any]) -> None:
        """Put an item into one of the other tables."""
        self.others.setdefault(table, {})[item["pk"], item["sk"]] = _numbers(item)

    def _of_table(self, name: str) -> list[dict[str, Any]]:
        if name == "tidegate-local-rollouts":
            return self.items
        if name not in self.others:
            raise client_error("ResourceNotFoundException", f"Requested resource not found: {name}")
        return list(self.others[name].values())

    def get_paginator(self, name: str) -> Any:
        assert name == "query"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        assert request["ConsistentRead"]
        if self.failing:
            raise self.failing.pop(0)
        values = {name: value["S"] for name, value in request["ExpressionAttributeValues"].items()}
        items = self._of_table(request["TableName"])
        found = [item for item in items if item["pk"] == values[":pk"] and self._matches(item, values)]
        found.sort(key=lambda item: item["sk"], reverse=not request.get("ScanIndexForward", True))
        encoded = [{name: SERIALIZER.serialize(value) for name, value in item.items()} for item in found]
        return Pages("Items", encoded).paginate()

    def _matches(self, item: Mapping[str, Any], values: Mapping[str, str]) -> bool:
        if ":first" in values:
            return values[":first"] <= item["sk"] <= values[":last"]
        command = values.get(":command")
        answers = command is None or (
            item.get("kind") == values[":kind"] and item.get("numbers", {}).get("command") == command
        )
        return answers and item["sk"].startswith(values[":prefix"])


@dataclass
class FakeEvents:
    """A bus; `failures` are what it says to the next entries instead of taking them."""

    taken: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, str] | Exception] = field(default_factory=list)
    on_event: Callable[[dict[str, Any]], None] = lambda _: None

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        (entry,) = Entries
        failure = self.failures.pop(0) if self.failures else None
        if isinstance(failure, Exception):
            raise failure
        if failure is not None:
            return {"FailedEntryCount": 1, "Entries": [failure]}
        self.taken.append(entry)
        self.on_event(json.loads(entry["Detail"]))
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}


@dataclass
class FakeSts:
    arn: str | Exception = "arn:aws:sts::123456789012:assumed-role/operator/alice"

    def get_caller_identity(self) -> dict[str, str]:
        if isinstance(self.arn, Exception):
            raise self.arn
        return {"Arn": self.arn}


@dataclass
class FakeCloudWatch:
    states: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def describe_alarms(self, *, AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:
        assert "CompositeAlarm" in AlarmTypes, "composites are left out unless asked for"
        found: list[dict[str, Any]] = [
            {"AlarmName": name, "StateValue": state, "StateReason": "", "StateTransitionedTimestamp": since}
            for name, (state, since) in self.states.items()
            if name in AlarmNames
        ]
        return {
            "MetricAlarms": [alarm for alarm in found if not alarm["AlarmName"].endswith("unhealthy")],
            "CompositeAlarms": [alarm for alarm in found if alarm["AlarmName"].endswith("unhealthy")],
        }


@dataclass
class Account:
    """The account, and the clients that see it."""

    ssm: FakeSsm = field(default_factory=FakeSsm)
    s3: FakeS3 = field(default_factory=FakeS3)
    kms: FakeKms = field(default_factory=FakeKms)
    sagemaker: FakeSageMaker = field(default_factory=FakeSageMaker)
    dynamodb: FakeDynamoDb = field(default_factory=FakeDynamoDb)
    cloudwatch: FakeCloudWatch = field(default_factory=FakeCloudWatch)
    events: FakeEvents = field(default_factory=FakeEvents)
    sts: FakeSts = field(default_factory=FakeSts)

    @property
    def aws(self) -> Aws:
        return Aws(lambda service: getattr(self, service))

    def deploy(self, name: str = "rain-local", **changes: Any) -> None:
        """Put an endpoint's settings where a deployment puts them."""
        text = json.dumps({**SETTINGS, "endpoint": name, **changes})
        self.ssm.parameters[f"/tidegate/local/endpoints/{name}"] = text

    def declare(self, section: str, name: str = "rain-local", **changes: Any) -> None:
        """Put the settings of monitoring or retraining where a deployment puts them."""
        text = json.dumps({**DECLARED[section], "endpoint": name, **changes})
        self.ssm.parameters[f"/tidegate/local/{section}/{name}"] = text

    def retraining(self, state: RetrainingState, *entries: RetrainingEntry) -> None:
        """Put what is durable about retraining where its controller puts it, with new entries of its audit trail."""
        count = state.audit_count
        for number, entry in enumerate(entries, start=count + 1):
            self.dynamodb.put_into(RETRAINING_TABLE, retraining_items.audit_item(state.name, entry, number, NOW))
        state = replace(state, audit_count=count + len(entries))
        self.dynamodb.put_into(RETRAINING_TABLE, retraining_items.state_item(state))

    def summarise_run(self, summary: Summary, name: str = "rain-local") -> None:
        """Put a retraining run's summary where its controller puts it."""
        self.dynamodb.put_into(RETRAINING_TABLE, retraining_items.run_item(name, summary))

    def take_in(self, episode: Episode, endpoint: str = "rain-local") -> None:
        """Put an approval that the engine has taken in where it puts it."""
        item = episode_item(endpoint, episode)
        self.dynamodb.put(item.pop("sk"), endpoint=endpoint, **_numbers(without(item, "pk")))

    def record(self, state: State) -> None:
        """Put an endpoint's item where the engine puts it, and the summary of its rollout."""
        item = state_item(state)
        self.dynamodb.put(item.pop("sk"), endpoint=state.name, **_numbers(without(item, "pk")))
        if state.rollout is not None:
            self.summarise(state.name, state.rollout)

    def summarise(self, endpoint: str, rollout: Rollout) -> None:
        """Put a rollout's summary where the engine puts it."""
        item = summary_item(endpoint, rollout)
        self.dynamodb.put(item.pop("sk"), endpoint=endpoint, **_numbers(without(item, "pk", "endpoint")))

    def audit(self, number: int, text: str, *, endpoint: str = "rain-local", **fields: Any) -> None:
        """Put an entry of the audit trail where the engine puts it."""
        entry = Entry(**{"kind": "note", "text": text, **fields})
        item = audit_item(endpoint, entry, number, NOW)
        self.dynamodb.put(item.pop("sk"), endpoint=endpoint, **_numbers(without(item, "pk", "endpoint")))

    def answer(self, *, accepted: bool = True, text: str = "Done as asked.") -> None:
        """Let the engine answer every command from now on."""

        def answer(detail: Mapping[str, Any]) -> None:
            numbers = {"command": detail["id"], "name": detail["command"], "by": detail["by"], "accepted": accepted}
            number = 1000 + len(self.events.taken)
            self.audit(number, text, endpoint=detail["endpoint"], kind="command", numbers=numbers)

        self.events.on_event = answer

    def serve(self, config: str, weights: Mapping[str, float], models: Mapping[str, str]) -> None:
        """Let the endpoint run `models` (data URL of each variant) at `weights`."""
        self.sagemaker.configs[config] = dict(models)
        self.sagemaker.endpoint = {
            "EndpointName": "rain-local",
            "EndpointStatus": "InService",
            "EndpointConfigName": config,
            "ProductionVariants": [
                # Zeros are left out, as SageMaker does.
                {"VariantName": name, **({"CurrentWeight": weight, "DesiredWeight": weight} if weight else {})}
                for name, weight in weights.items()
            ],
        }


@pytest.fixture
def account() -> Account:
    """An account in which environment `local` has one endpoint."""
    fresh = Account()
    fresh.deploy()
    return fresh


@pytest.fixture
def endpoint(account: Account) -> EndpointSettings:
    """The endpoint's settings."""
    return find_endpoint(account.aws, "local", None)
