"""An asynchronous endpoint of fake containers, with alarms and scaling, in virtual time."""

import json
from dataclasses import dataclass, field
from typing import Any

from localcloud.clock import VirtualClock
from localcloud.physics.async_runtime import AsyncRuntimeService
from localcloud.physics.autoscaling import AutoScalingService
from localcloud.physics.cloudwatch import CloudWatchService, MetricStore
from localcloud.physics.cloudwatch.samples import statistic
from localcloud.physics.cloudwatch.store import MetricKey
from localcloud.physics.endpoints import SageMakerService
from localcloud.physics.ports import AccessError
from localcloud.physics.settings import PhysicsSettings
from localcloud.physics.testing import FakeContainers, MemoryObjects, RecordedEvents

HERE = {"account": "123456789012", "region": "us-east-1"}
START = 1_700_000_040.0
"""A whole minute."""

BLUE = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/rain/variant/blue",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


@dataclass
class FakeAccount:
    """S3 and SNS in memory, for every role."""

    objects: dict[str, bytes] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def read(self, _role: str, uri: str) -> bytes:
        if uri not in self.objects:
            raise AccessError(f"{uri} does not exist")
        return self.objects[uri]

    def write(self, _role: str, uri: str, body: bytes, _content_type: str, _key: str | None) -> None:
        self.objects[uri] = body

    def publish(self, _role: str, topic: str, message: str) -> None:
        self.messages.append({"topic": topic, **json.loads(message)})


@dataclass
class AsyncWorld:
    """The endpoint `rain` with the variant `blue`, in service with one instance."""

    settings: PhysicsSettings = field(default_factory=PhysicsSettings)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START))
    containers: FakeContainers = field(default_factory=FakeContainers)
    account: FakeAccount = field(default_factory=FakeAccount)
    concurrency: int = 1
    asynchronous: bool = True

    def __post_init__(self) -> None:
        events: Any = RecordedEvents()
        self.metrics = MetricStore(self.clock)
        self.autoscaling = AutoScalingService(self.clock, **HERE, metrics=self.metrics, settings=self.settings)
        self.sagemaker = SageMakerService(
            self.clock,
            self.settings,
            **HERE,
            emit=events,
            metrics=self.metrics,
            objects=MemoryObjects(),
            containers=self.containers,
            autoscaling=self.autoscaling,
        )
        self.runtime = AsyncRuntimeService(self.sagemaker, self.account)
        self.cloudwatch = CloudWatchService(
            self.clock, self.metrics, **HERE, emit=events, act=self.autoscaling.act, settings=self.settings
        )
        self._create()

    def _create(self) -> None:
        role = "arn:aws:iam::123456789012:role/model"
        self.call("CreateModel", ModelName="m", PrimaryContainer={"Image": "image"}, ExecutionRoleArn=role)
        variant = {"VariantName": "blue", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        topics = {"SuccessTopic": "success", "ErrorTopic": "error"}
        asynchronous = {
            "OutputConfig": {
                "S3OutputPath": "s3://out",
                "S3FailurePath": "s3://failed",
                "NotificationConfig": topics,
            },
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": self.concurrency},
        }
        more = {"AsyncInferenceConfig": asynchronous} if self.asynchronous else {}
        self.call("CreateEndpointConfig", EndpointConfigName="first", ProductionVariants=[variant], **more)
        self.call("CreateEndpoint", EndpointName="rain", EndpointConfigName="first")
        self.clock.advance(10)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Call an operation of whichever service owns it."""
        for service in (self.sagemaker, self.cloudwatch, self.autoscaling, self.runtime):
            handler = service.operations().get(operation)
            if handler is not None:
                return handler(request) or {}
        raise LookupError(operation)

    def ask(self, text: str = "hello", **more: Any) -> dict[str, Any]:
        location = f"s3://in/{len(self.account.objects)}"
        self.account.objects[location] = text.encode()
        return self.call("InvokeEndpointAsync", EndpointName="rain", InputLocation=location, **more)

    def answer(self, asked: dict[str, Any]) -> bytes | None:
        return self.account.objects.get(asked["OutputLocation"])

    def told(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [each for each in self.account.messages if each.get("inferenceId") == asked["InferenceId"]]

    def tested(self) -> list[str]:
        """Return the topics that test notifications have come to, and forget them."""
        tests = [each for each in self.account.messages if each["eventName"] == "TestNotification"]
        self.account.messages = [each for each in self.account.messages if each not in tests]
        assert all(each.keys() == {"topic", "eventVersion", "eventSource", "eventName"} for each in tests)
        return [each["topic"] for each in tests]

    def scale(self, count: int) -> None:
        wanted = [{"VariantName": "blue", "DesiredInstanceCount": count}]
        self.call("UpdateEndpointWeightsAndCapacities", EndpointName="rain", DesiredWeightsAndCapacities=wanted)
        self.clock.advance(self.settings.capacity_seconds + 1)

    def instances(self) -> tuple[int, int]:
        """Return how many there are, and how many are desired."""
        (variant,) = self.call("DescribeEndpoint", EndpointName="rain")["ProductionVariants"]
        return variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]

    def metric(self, name: str, *, by_variant: bool = False, seconds: float = 60.0) -> float | None:
        """Return the average of a metric over the whole minute that ended last."""
        dimensions = {"EndpointName": "rain", **({"VariantName": "blue"} if by_variant else {})}
        end = self.clock.now() // 60 * 60
        key = MetricKey.of("AWS/SageMaker", name, dimensions)
        return statistic(self.metrics.between(key, end - seconds, end), "Average")

    def register(self, minimum: int = 0, maximum: int = 3, **more: Any) -> None:
        self.call("RegisterScalableTarget", **BLUE, MinCapacity=minimum, MaxCapacity=maximum, **more)

    def track(self, target: float, **more: Any) -> None:
        """Follow the backlog, as SageMaker's guide shows."""
        metric = {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": [{"Name": "EndpointName", "Value": "rain"}],
            "Statistic": "Average",
        }
        self.call(
            "PutScalingPolicy",
            **BLUE,
            PolicyName="follow",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": target,
                "CustomizedMetricSpecification": metric,
                **more,
            },
        )

    def steps(self, *steps: dict[str, Any], name: str = "wake", **more: Any) -> str:
        """Put a step scaling policy, and return its ARN."""
        configuration = {
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": 300,
            "StepAdjustments": list(steps or ({"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1},)),
            **more,
        }
        answer = self.call(
            "PutScalingPolicy",
            **BLUE,
            PolicyName=name,
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration=configuration,
        )
        return str(answer["PolicyARN"])

    def alarm(self, policy_arn: str, periods: int = 2) -> None:
        """Put the alarm that wakes an endpoint without instances, as SageMaker's guide shows."""
        self.call(
            "PutMetricAlarm",
            AlarmName="asleep",
            MetricName="HasBacklogWithoutCapacity",
            Namespace="AWS/SageMaker",
            Statistic="Average",
            EvaluationPeriods=periods,
            DatapointsToAlarm=periods,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="missing",
            Dimensions=[{"Name": "EndpointName", "Value": "rain"}],
            Period=60,
            AlarmActions=[policy_arn],
        )
