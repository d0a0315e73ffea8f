"""What a batch needs, and nothing else: buckets, tables, roles, a model that is live, and the function."""

import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3

from bench.errors import BenchError
from lambdas import contract
from lambdas.rollout.adapters import clients
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.fleet import Capture, Fleet
from lambdas.rollout.state import State
from localcloud.cloud import LocalCloud
from stacks.config import ROOT

ENVIRONMENT, BUCKET, INPUT = "local", "batch-artefacts", "batch-input/rain/"
ENDPOINT = contract.endpoint_name(ENVIRONMENT, "rain")
ARCHIVE = ROOT / "model_containers" / "bootstrap" / "rain" / "model.tar.gz"
_SERVING = ROOT / "model_containers" / "serving"
ARTEFACT = f"{ENDPOINT}/1/model.tar.gz"
"""Key of the archive that is live, which was signed."""

_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/serving:1"
_MODEL, _SERVING_ROLE = "rain-1", "serving"
_LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]


@dataclass(frozen=True)
class World:
    """A cloud in which an endpoint's batches can run."""

    cloud: LocalCloud

    def put(self, name: str, content: bytes) -> None:
        """Put an input object."""
        self.cloud.client("s3").put_object(Bucket=BUCKET, Key=f"{INPUT}{name}", Body=content)

    def get(self, key: str) -> bytes:
        """Return an object."""
        content: bytes = self.cloud.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def outputs(self) -> list[str]:
        """Return the keys of all answers that there are."""
        pages = self.cloud.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=BUCKET, Prefix=f"{contract.BATCH_PREFIX}/{ENDPOINT}/")
        keys = [item["Key"] for page in found for item in page.get("Contents", [])]
        return [key for key in keys if key.endswith(".out")]

    def tell(self, event: Mapping[str, Any] | None = None) -> None:
        """Call the function with an event; without one, as the minute's sweep does."""
        from lambdas.inference.handlers.batch import handler

        handler(dict(event or {}), SimpleNamespace(aws_request_id="bench"))

    def runs(self) -> list[dict[str, Any]]:
        """Return the runs as they are listed."""
        answer = self.cloud.client("dynamodb").query(
            TableName=contract.inference_table(ENVIRONMENT),
            KeyConditionExpression="pk = :pk AND begins_with(sk, :run)",
            ExpressionAttributeValues={":pk": {"S": f"BATCH#{ENDPOINT}"}, ":run": {"S": "RUN#"}},
            ConsistentRead=True,
        )
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in answer["Items"]]

    def server(self, job: str) -> int | None:
        """Return the process id of a job's model server while there is one."""
        return self.cloud.jobs.server(job)


@contextmanager
def world(settings: Mapping[str, Any]) -> Iterator[World]:
    """Start a cloud with all that a batch needs; `settings` are those of ``front_door.batch``."""
    with LocalCloud() as cloud:
        _make_tables(cloud)
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        _make_model(cloud)
        with _function(cloud, settings):
            _make_live(cloud)
            yield World(cloud)


def model_file(folder: Path) -> Path:
    """Extract the model itself, to ask it directly."""
    with tarfile.open(fileobj=io.BytesIO(ARCHIVE.read_bytes())) as archive:
        archive.extract("model.onnx", folder, filter="data")
    return folder / "model.onnx"


def _make_tables(cloud: LocalCloud) -> None:
    keys = [(contract.TABLE_PARTITION_KEY, "HASH"), (contract.TABLE_SORT_KEY, "RANGE")]
    for name in (contract.inference_table(ENVIRONMENT), contract.table_name(ENVIRONMENT)):
        cloud.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        )


def _make_model(cloud: LocalCloud) -> None:
    cloud.images.register(_IMAGE, _SERVING, "Dockerfile.cpu")
    cloud.client("s3").put_object(Bucket=BUCKET, Key=ARTEFACT, Body=ARCHIVE.read_bytes())
    role = _role(
        cloud,
        _SERVING_ROLE,
        "sagemaker.amazonaws.com",
        _allow(["s3:ListBucket"], f"arn:aws:s3:::{BUCKET}"),
        _allow(["s3:GetObject"], f"arn:aws:s3:::{BUCKET}/*"),
        _allow(["s3:PutObject"], f"arn:aws:s3:::{BUCKET}/{contract.BATCH_PREFIX}/{ENDPOINT}/*"),
        _allow(_LOGS, "*"),
    )
    sagemaker = cloud.client("sagemaker")
    container = {"Image": _IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{ARTEFACT}"}
    sagemaker.create_model(ModelName=_MODEL, ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "blue", "ModelName": _MODEL, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="rain-config-1", ProductionVariants=[variant])


def _make_live(cloud: LocalCloud) -> None:
    fleet = Fleet(_IMAGE, "ml.m5.large", 1, 1, None, None, Capture(False, 0, ""), 60, 60, 60, network_isolation=False)
    item = State.first(ENDPOINT, "rain-config-1", fleet)
    item = replace(item, live=replace(item.live, sha256=sha256(ARCHIVE.read_bytes()).hexdigest()))
    # The engine's own store writes it, with the administrator's rights; the function below may only read it.
    made: Any = cloud.client("dynamodb")
    DynamoStore(clients.Lazy("dynamodb", lambda _: made)).save(item, now=0.0)


@contextmanager
def _function(cloud: LocalCloud, settings: Mapping[str, Any]) -> Iterator[None]:
    """Give this process the environment of the function, with the rights that it has and no other."""
    front_door = {"endpoint": ENDPOINT, "auth": "iam", "clients": {}, "segments": [], "breaker": {}, "batch": settings}
    role = _function_role(cloud)
    minted = cloud.credentials.mint(role, "", "batch")
    given = {
        **cloud.environment,
        "AWS_ACCESS_KEY_ID": minted.access_key_id,
        "AWS_SECRET_ACCESS_KEY": minted.secret_access_key,
        "AWS_SESSION_TOKEN": minted.session_token,
        contract.ENV_ENVIRONMENT: ENVIRONMENT,
        contract.ENV_TABLE: contract.table_name(ENVIRONMENT),
        contract.ENV_INFERENCE_TABLE: contract.inference_table(ENVIRONMENT),
        contract.ENV_ARTEFACT_BUCKET: BUCKET,
        contract.ENV_FRONT_DOOR: json.dumps(front_door),
        "POWERTOOLS_SERVICE_NAME": contract.function_service("batch"),
    }
    before = dict(os.environ)
    os.environ.update(given)
    _forget_clients()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        _forget_clients()


def _forget_clients() -> None:
    from lambdas.inference.settings import front_door

    front_door.cache_clear()
    clients._made.cache_clear()
    boto3.DEFAULT_SESSION = None


def _function_role(cloud: LocalCloud) -> str:
    where = f"{cloud.region}:{cloud.account}"
    table = f"arn:aws:dynamodb:{where}:table"
    own = f"{contract.batch_job_prefix(ENDPOINT)}*"
    jobs = f"arn:aws:sagemaker:{where}:transform-job/{own}"
    return _role(
        cloud,
        "batch-function",
        "lambda.amazonaws.com",
        _allow(["dynamodb:GetItem", "dynamodb:PutItem"], f"{table}/{contract.inference_table(ENVIRONMENT)}"),
        _allow(["dynamodb:GetItem"], f"{table}/{contract.table_name(ENVIRONMENT)}"),
        _allow(["s3:ListBucket"], f"arn:aws:s3:::{BUCKET}"),
        _allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{BUCKET}/{contract.BATCH_PREFIX}/{ENDPOINT}/*"),
        _allow(["s3:GetObject"], f"arn:aws:s3:::{BUCKET}/{ENDPOINT}/*"),
        _allow(["sagemaker:DescribeEndpointConfig"], f"arn:aws:sagemaker:{where}:endpoint-config/*"),
        _allow(["sagemaker:DescribeModel"], f"arn:aws:sagemaker:{where}:model/{_MODEL}"),
        _allow(["sagemaker:CreateModel", "sagemaker:DeleteModel"], f"arn:aws:sagemaker:{where}:model/{own}"),
        _allow(["iam:PassRole"], f"arn:aws:iam::{cloud.account}:role/{_SERVING_ROLE}"),
        _allow([f"sagemaker:{name}TransformJob" for name in ("Create", "Describe", "Stop")], jobs),
        _allow(["events:PutEvents"], f"arn:aws:events:{where}:event-bus/default"),
    )


def _role(cloud: LocalCloud, name: str, service: str, *statements: Mapping[str, Any]) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    iam = cloud.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=_document(*statements))
    return arn


def _allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def need(holds: object, what: str) -> None:
    """Raise `BenchError` unless something holds."""
    if not holds:
        raise BenchError(what)
