"""A cloud of fakes in virtual time."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from localcloud.clock import VirtualClock
from localcloud.physics.autoscaling import AutoScalingService
from localcloud.physics.cloudwatch import CloudWatchService, MetricStore
from localcloud.physics.endpoints import SageMakerService
from localcloud.physics.runtime import RuntimeService
from localcloud.physics.settings import PhysicsSettings
from localcloud.physics.testing import FakeContainers, MemoryObjects, RecordedActions, RecordedEvents

ACCOUNT, REGION = "123456789012", "us-east-1"
START = 1_700_000_040.0  # a whole minute


@dataclass
class World:
    """All services over one virtual clock."""

    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START))
    settings: PhysicsSettings = field(default_factory=PhysicsSettings)
    containers: FakeContainers = field(default_factory=FakeContainers)
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    events: RecordedEvents = field(default_factory=RecordedEvents)
    actions: RecordedActions = field(default_factory=RecordedActions)

    def __post_init__(self) -> None:
        here: Any = {"account": ACCOUNT, "region": REGION}
        self.metrics = MetricStore(self.clock)
        self.autoscaling = AutoScalingService(self.clock, **here)
        self.sagemaker = SageMakerService(
            self.clock,
            self.settings,
            **here,
            emit=self.events,
            metrics=self.metrics,
            objects=self.objects,
            containers=self.containers,
            autoscaling=self.autoscaling,
        )
        self.runtime = RuntimeService(self.sagemaker, self.clock, self.metrics, chance=random.Random(1))
        self.cloudwatch = CloudWatchService(self.clock, self.metrics, **here, emit=self.events, act=self.actions)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Call an operation of whichever service owns it."""
        for service in (self.sagemaker, self.cloudwatch, self.autoscaling, self.runtime):
            handler = service.operations().get(operation)
            if handler is not None:
                return handler(request) or {}
        raise LookupError(operation)

    def model(self, name: str, image: str = "image", data: str | None = "s3://models/m.tar.gz") -> None:
        """Create a model whose data exists."""
        container: dict[str, Any] = {"Image": image}
        if data is not None:
            self.objects.put(data, b"archive")
            container["ModelDataUrl"] = data
        self.call("CreateModel", ModelName=name, PrimaryContainer=container, ExecutionRoleArn="role")

    def config(self, name: str, *variants: dict[str, Any], **more: Any) -> None:
        """Create an endpoint configuration."""
        self.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=list(variants), **more)

    def status(self, endpoint: str = "rain") -> str:
        """Return an endpoint's status."""
        return str(self.describe(endpoint)["EndpointStatus"])

    def describe(self, endpoint: str = "rain") -> dict[str, Any]:
        """Describe an endpoint."""
        return self.call("DescribeEndpoint", EndpointName=endpoint)

    def variant(self, name: str, endpoint: str = "rain") -> dict[str, Any]:
        """Describe one variant."""
        return next(v for v in self.describe(endpoint)["ProductionVariants"] if v["VariantName"] == name)

    def live(self, *variants: dict[str, Any], **more: Any) -> None:
        """Bring the endpoint `rain` up on a configuration `first`."""
        self.model("model-1")
        self.config("first", *(variants or (variant("blue"),)), **more)
        self.call("CreateEndpoint", EndpointName="rain", EndpointConfigName="first")
        self.clock.advance(10)
        assert self.status() == "InService"


def variant(
    name: str, model: str = "model-1", weight: float | None = 100, count: int = 1, **more: Any
) -> dict[str, Any]:
    """Return a production variant as CreateEndpointConfig takes it."""
    chosen = {"InitialVariantWeight": weight} if weight is not None else {}
    return {
        "VariantName": name,
        "ModelName": model,
        "InitialInstanceCount": count,
        "InstanceType": "ml.g5.xlarge",
        **chosen,
        **more,
    }


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def make_variant() -> Any:
    return variant
