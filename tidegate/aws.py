"""Clients of the AWS services that an operator needs, made when first used, with time limits on every call."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tidegate.errors import OperatorError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

CALLS = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 4},
    user_agent_extra="tidegate",
)

MakeClient = Callable[[str], Any]


class Aws:
    """The account (or local cloud) that a command works on.

    Parameters
    ----------
    make
        Returns the boto3 client of a service.
    """

    def __init__(self, make: MakeClient) -> None:
        self._make = make

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        """Endpoints and the model registry."""
        client: SageMakerClient = self._make("sagemaker")
        return client

    @cached_property
    def s3(self) -> S3Client:
        """Model artefacts."""
        client: S3Client = self._make("s3")
        return client

    @cached_property
    def ssm(self) -> SSMClient:
        """The endpoints' settings."""
        client: SSMClient = self._make("ssm")
        return client

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """The rollout table."""
        client: DynamoDBClient = self._make("dynamodb")
        return client

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """The slots' alarms."""
        client: CloudWatchClient = self._make("cloudwatch")
        return client

    @cached_property
    def events(self) -> EventBridgeClient:
        """The bus that takes commands to the engine."""
        client: EventBridgeClient = self._make("events")
        return client

    @cached_property
    def functions(self) -> LambdaClient:
        """The functions."""
        client: LambdaClient = self._make("lambda")
        return client

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """What they log."""
        client: CloudWatchLogsClient = self._make("logs")
        return client

    @cached_property
    def appconfig(self) -> Any:
        """The front doors' switches. (Its type stubs are not installed.)"""
        return self._make("appconfig")

    @cached_property
    def apigateway(self) -> Any:
        """The front doors' API keys. (Its type stubs are not installed.)"""
        return self._make("apigateway")

    @cached_property
    def kms(self) -> Any:
        """The key that versions are signed with. (Its type stubs are not installed.)"""
        return self._make("kms")

    @cached_property
    def sqs(self) -> SQSClient:
        """The queues of jobs, and of those that failed."""
        client: SQSClient = self._make("sqs")
        return client

    @cached_property
    def sts(self) -> Any:
        """Who is calling. (Its type stubs are not installed.)"""
        return self._make("sts")


def session(environment: Mapping[str, str] | None = None) -> boto3.Session:
    """Return a session from the usual AWS configuration, or from `environment` (variables) alone when given."""
    if environment is None:
        return boto3.Session()
    return boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
    )


def connect(environment: Mapping[str, str] | None = None, calls: Config = CALLS) -> Aws:
    """Return the account that the usual AWS configuration names, or the one that `environment` (variables) names."""
    chosen = session(environment)
    if chosen.region_name is None:
        raise OperatorError("no AWS region is configured", "export AWS_DEFAULT_REGION=eu-central-1 (or your region)")
    url = (os.environ if environment is None else environment).get("AWS_ENDPOINT_URL")

    def make(service: str) -> Any:
        # The names are a closed set, but boto3's type stubs want literals.
        return chosen.client(service, endpoint_url=url, config=calls)  # type: ignore[call-overload]

    return Aws(make)
