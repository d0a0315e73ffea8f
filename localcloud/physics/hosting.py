"""The state that all of the endpoint physics shares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localcloud.clock import Clock
from localcloud.physics.autoscaling import AutoScalingService
from localcloud.physics.catalogue import Catalogue
from localcloud.physics.cloudwatch import MetricStore
from localcloud.physics.deferral import DeferringLock
from localcloud.physics.faults import Faults
from localcloud.physics.ports import ContainerRunner, EventSink, ObjectStore
from localcloud.physics.records import Endpoint, Model, Named, Request
from localcloud.physics.settings import PhysicsSettings


@dataclass
class Hosting:
    """Models, configurations and endpoints, and the world around them. One lock guards all of it."""

    clock: Clock
    settings: PhysicsSettings
    account: str
    region: str
    emit: EventSink
    metrics: MetricStore
    objects: ObjectStore
    containers: ContainerRunner
    autoscaling: AutoScalingService | None
    model_packages: Callable[[str], Request] | None = None
    test_topics: Callable[[Named, Model], None] | None = None
    lock: DeferringLock = field(default_factory=DeferringLock)
    faults: Faults = field(default_factory=Faults)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    stopped: bool = False
    models: Catalogue[Model] = field(init=False)
    configs: Catalogue[Named] = field(init=False)

    def __post_init__(self) -> None:
        self.models = Catalogue("model", self.arn("model", ""))
        self.configs = Catalogue("endpoint configuration", self.arn("endpoint-config", ""))

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a resource of this account."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{name.lower()}"

    def tag(self, arn: str, request: Request) -> None:
        """Record the tags of a new resource."""
        self.tags[arn] = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or []}


def tag_list(tags: dict[str, str]) -> list[dict[str, Any]]:
    """Return tags in the form of the API."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
