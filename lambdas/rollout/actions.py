"""What the engine can ask of AWS. Every action is absolute, so doing it twice is the same as doing it once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.rollout.fleet import Fleet, Scaling
from lambdas.rollout.policy import Hook, SmokeTest


@dataclass(frozen=True)
class Action:
    """Base of the actions."""


@dataclass(frozen=True)
class ReleaseScaling(Action):
    """Deregister the scalable targets of both slots: a variant under autoscaling cannot be removed."""


@dataclass(frozen=True)
class KeepScaling(Action):
    """Make the slot's scalable target and its target-tracking policy what is declared."""

    slot: str
    scaling: Scaling


@dataclass(frozen=True)
class CreateModel(Action):
    """Make the model of a rollout: from `container`, or from that of the source variant's model when that is None.

    With `sha256` it is made only while the container's artefact is still the one that was signed; an `urgent` one that
    is cloned also while nobody can say whether it is. An empty `image` leaves the container's own. `variables` are
    those of the container that are the fleet's to say; it has no others that begin with
    `lambdas.contract.CAPTURE_VARIABLES`.
    """

    name: str
    source_config: str
    source_slot: str
    container: Mapping[str, Any] | None
    image: str
    network_isolation: bool
    execution_role_arn: str
    tags: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""
    urgent: bool = False


@dataclass(frozen=True)
class CreateMixedConfig(Action):
    """Clone the live config and add the new variant at weight 0."""

    name: str
    source_config: str
    slot: str
    model: str
    count: int
    fleet: Fleet
    tags: Mapping[str, str]


@dataclass(frozen=True)
class CreateShadowConfig(Action):
    """Clone the live config and add the new variant as a shadow, which answers copies of the requests to nobody."""

    name: str
    source_config: str
    slot: str
    model: str
    count: int
    fleet: Fleet
    traffic_percent: int
    tags: Mapping[str, str]


@dataclass(frozen=True)
class CreateFinalConfig(Action):
    """Clone the mixed config and keep only the new variant, with all the traffic."""

    name: str
    source_config: str
    slot: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class UpdateEndpoint(Action):
    """Put an endpoint config live; live weights and instance counts are retained."""

    config: str


@dataclass(frozen=True)
class SetWeights(Action):
    """Set the weight of every variant that there is."""

    weights: Mapping[str, float]


@dataclass(frozen=True)
class SetCapacity(Action):
    """Set the instance count of one variant."""

    slot: str
    count: int


@dataclass(frozen=True)
class RunSmokeTest(Action):
    """Send requests to one variant, whatever its weight."""

    slot: str
    test: SmokeTest
    requests: int


@dataclass(frozen=True)
class AskHook(Action):
    """Ask a function of the user's whether the rollout may go on."""

    hook: Hook
    question: Mapping[str, Any]


@dataclass(frozen=True)
class DeleteArtefact(Action):
    """Remove an endpoint config (`kind` ``config``) or a model (``model``) that the engine made."""

    kind: str
    name: str
