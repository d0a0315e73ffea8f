"""What an endpoint runs on: instances, serving container, capture and time-outs, as declared by its owner."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from typing import Any

_LEVELS = ("min_instances", "max_instances", "target_invocations_per_instance")
# What renders the templates leaves out what is null.
_OPTIONAL = {"target_invocations_per_instance": None, "inference_ami_version": None}
_OPTIONAL_OF_CAPTURE: dict[str, Any] = {"variables": {}}


class FleetError(ValueError):
    """A fleet with a field that is missing, unknown or out of bounds."""


def repository(image: str) -> str:
    """Return an image URI without its tag and digest."""
    path = image.partition("@")[0]
    head, slash, last = path.rpartition("/")
    return head + slash + last.partition(":")[0]


@dataclass(frozen=True)
class Capture:
    """Whether, how much and where requests and answers are captured.

    That is SageMaker's Data Capture. `variables` are those by which the serving container captures by itself; none
    when it does not.
    """

    enabled: bool
    sampling_percent: int
    destination: str
    variables: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Scaling:
    """The bounds and the target that Application Auto Scaling keeps for the live variant."""

    minimum: int
    maximum: int
    target: float


@dataclass(frozen=True)
class Fleet:
    """The declared fleet of an endpoint.

    The instance bounds and the scaling target are a level that the sweeper keeps; every other field reaches the
    endpoint by a rollout of the live model.
    """

    image: str
    instance_type: str
    min_instances: int
    max_instances: int
    target_invocations_per_instance: float | None
    inference_ami_version: str | None
    capture: Capture
    startup_timeout_seconds: int
    download_timeout_seconds: int
    metrics_period_seconds: int
    network_isolation: bool

    @classmethod
    def from_dict(cls, data: object) -> "Fleet":
        """Read the JSON form.

        Raises
        ------
        FleetError
            When a field is missing, unknown or out of bounds.
        """
        given = _exactly(cls, "fleet", _completed(data, _OPTIONAL))
        capture = Capture(**_exactly(Capture, "fleet.capture", _completed(given["capture"], _OPTIONAL_OF_CAPTURE)))
        fleet = cls(**{**given, "capture": capture})
        if not 1 <= fleet.min_instances <= fleet.max_instances:
            bounds = f"{fleet.min_instances} to {fleet.max_instances}"
            raise FleetError(f"fleet: instances {bounds}; min_instances is at least 1 and at most max_instances")
        return fleet

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that `from_dict` reads."""
        return asdict(self)

    def clamp(self, count: int) -> int:
        """Return the instance count within the declared bounds that is nearest to `count`."""
        return max(self.min_instances, min(count, self.max_instances))

    @property
    def scaling(self) -> Scaling | None:
        """What autoscaling should keep; None for a fixed number of instances."""
        target = self.target_invocations_per_instance
        if target is None or self.min_instances == self.max_instances:
            return None
        return Scaling(self.min_instances, self.max_instances, float(target))

    def with_levels_of(self, other: "Fleet") -> "Fleet":
        """Return this fleet with the other's instance bounds and scaling target."""
        return replace(self, **{name: getattr(other, name) for name in _LEVELS})

    def differences(self, other: "Fleet") -> list[str]:
        """Name the fields in which `other` differs and that only a rollout can change."""
        return [name for name in _by_rollout() if getattr(self, name) != getattr(other, name)]

    def image_for(self, image: str) -> str:
        """Return the container that a model made for `image` runs on.

        The serving container is part of the fleet: a model made for its repository runs on the declared image. A
        model that brings an image from another repository keeps it.
        """
        return self.image if repository(image) == repository(self.image) else image


@cache
def _by_rollout() -> tuple[str, ...]:
    """Return the fields that only a rollout can change. Worked out once, for every cycle compares fleets."""
    return tuple(each.name for each in fields(Fleet) if each.name not in _LEVELS)


def _completed(data: object, optional: Mapping[str, Any]) -> object:
    return {**optional, **data} if isinstance(data, Mapping) else data


def _exactly(cls: type, path: str, data: object) -> dict[str, Any]:
    names = [each.name for each in fields(cls)]
    if not isinstance(data, Mapping):
        raise FleetError(f"{path}: {data!r} is not allowed; it must be a mapping with {', '.join(names)}")
    odd = sorted(set(data) ^ set(names))
    if odd:
        what = "unknown" if odd[0] in data else "required"
        raise FleetError(f"{path}.{odd[0]} is {what}; the fields are {', '.join(names)}")
    return dict(data)
