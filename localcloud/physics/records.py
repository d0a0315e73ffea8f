"""What the endpoint physics keeps: models, configurations, and endpoints with their fleets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.physics.backlog import Backlog
from localcloud.physics.ports import RunningContainer

CREATING = "Creating"
UPDATING = "Updating"
IN_SERVICE = "InService"
DELETING = "Deleting"
FAILED = "Failed"

BUSY = frozenset({CREATING, UPDATING, DELETING, "SystemUpdating", "RollingBack"})
SERVING = frozenset({IN_SERVICE, UPDATING, "SystemUpdating", "RollingBack"})

Request = Mapping[str, Any]


@dataclass(frozen=True)
class Named:
    """A resource that never changes once made."""

    name: str
    arn: str
    request: Request
    created_at: float


@dataclass(frozen=True)
class Model(Named):
    """A model, with its one container resolved."""

    image: str
    data_url: str | None
    environment: Mapping[str, str]


@dataclass
class Instance:
    """One instance of a variant: its container, and the requests that it is answering."""

    instance_id: str
    container: RunningContainer
    in_flight: int = 0


@dataclass
class Variant:
    """A production variant that takes, or is about to take, traffic; or a shadow variant that takes copies of it."""

    config: Request
    model: Model
    current_weight: float
    desired_weight: float
    desired_count: int
    deployed_at: float
    instances: list[Instance] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the variant."""
        return str(self.config["VariantName"])


@dataclass(frozen=True)
class Plan:
    """A variant as an update wants it."""

    config: Request
    model: Model
    weight: float
    count: int
    shadow: bool = False

    @property
    def name(self) -> str:
        """Name of the variant."""
        return str(self.config["VariantName"])


@dataclass(frozen=True)
class Deployment:
    """An update under way."""

    config: Named
    plans: list[Plan]
    capture: Request | None
    started_at: float


@dataclass
class Endpoint:
    """An endpoint and everything that belongs to it."""

    name: str
    arn: str
    config: Named
    status: str
    created_at: float
    modified_at: float
    variants: dict[str, Variant] = field(default_factory=dict)
    shadows: dict[str, Variant] = field(default_factory=dict)
    capture: Request | None = None
    deployment: Deployment | None = None
    failure_reason: str | None = None
    backlog: Backlog = field(default_factory=Backlog)

    def hosted(self) -> dict[str, Variant]:
        """Return all variants by name, production and shadow: no two share a name."""
        return {**self.variants, **self.shadows}

    def instances(self) -> list[Instance]:
        """Return all instances of all variants."""
        return [instance for variant in self.hosted().values() for instance in variant.instances]

    def metrics_period(self) -> int:
        """Return how often its metrics are published, in seconds."""
        metrics = self.config.request.get("MetricsConfig") or {}
        if not metrics.get("EnableEnhancedMetrics"):
            return 60
        return int(metrics.get("MetricPublishFrequencyInSeconds") or 60)


def variants_of(config: Request) -> list[tuple[Request, bool]]:
    """Return the variants that a configuration asks for, and of each whether it is a shadow."""
    shadows = config.get("ShadowProductionVariants") or []
    return [*((each, False) for each in config["ProductionVariants"]), *((each, True) for each in shadows)]


def initial_weight(config: Request) -> float:
    """Return the weight that a variant starts with; an explicit 0 is 0."""
    weight = config.get("InitialVariantWeight")
    return 1.0 if weight is None else float(weight)
