"""The item of an endpoint: what is live, what is wanted, and the rollout that is under way. Plain values only.

Layout in the table, under the partition key ``ENDPOINT#<name>``: sort key ``STATE`` holds a `State`,
``AUDIT#<rollout or ->#<number>`` an entry of the audit trail, ``ROLLOUT#<id>`` a rollout's summary, and
``PACKAGE#<hash>`` a package's `Episode` of approval.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from lambdas.contract import BOOTSTRAP_SLOT
from lambdas.rollout.evidence import Evidence
from lambdas.rollout.fleet import Fleet, Scaling, repository
from lambdas.rollout.policy import Policy

SCHEMA = 1
REMEMBERED_COMMANDS = 50

ACCEPTED, SUPERSEDED, REFUSED, ALREADY_LIVE = "accepted", "superseded", "refused", "already live"
"""What becomes of an approval; one that was accepted may be displaced by a newer one before it is rolled out."""


class Phase(StrEnum):
    """Where a rollout stands."""

    PREPARE = "PREPARE"
    TEST = "TEST"
    SHIFT = "SHIFT"
    BAKE = "BAKE"
    SOAK = "SOAK"
    FINALIZE = "FINALIZE"
    ROLLBACK = "ROLLBACK"
    RESTORE = "RESTORE"
    PROMOTED = "PROMOTED"
    ROLLED_BACK = "ROLLED_BACK"
    ABANDONED = "ABANDONED"


FORWARD = frozenset({Phase.PREPARE, Phase.TEST, Phase.SHIFT, Phase.BAKE, Phase.SOAK})
"""Phases from which a rollout can be aborted."""

TERMINAL = frozenset({Phase.PROMOTED, Phase.ROLLED_BACK, Phase.ABANDONED})


class Kind(StrEnum):
    """What a rollout brings: a model version, or the live model on a changed fleet."""

    MODEL = "model"
    FLEET = "fleet"


@dataclass(frozen=True)
class Live:
    """What takes the traffic while no rollout is active.

    `image` is the container it runs on, empty if unknown; `known` is false after somebody else has put a config live
    that neither the template nor the engine made.
    """

    slot: str
    config: str
    fleet: Fleet
    image: str
    package_arn: str | None = None
    version: str = "bootstrap"
    known: bool = True

    @property
    def own_image(self) -> bool:
        """Whether the model brought its own container, which a change of the fleet's leaves alone."""
        return repository(self.image) != repository(self.fleet.image)


@dataclass(frozen=True)
class Candidate:
    """An approved model package that may be rolled out; `container` is what CreateModel needs of it."""

    package_arn: str
    version: str
    approved_at: float
    container: Mapping[str, Any]


@dataclass(frozen=True)
class Command:
    """A request to the active rollout that waits to be obeyed; `rollout` None means whichever is active."""

    id: str
    kind: str
    at: float
    by: str
    reason: str = ""
    rollout: str | None = None


@dataclass(frozen=True)
class Artefact:
    """An endpoint config or model that the engine makes, recorded before it is made."""

    kind: str
    name: str
    rollout: str


@dataclass(frozen=True)
class Notice:
    """A notification that waits to be sent."""

    subject: str
    text: str


@dataclass(frozen=True)
class Shortfall:
    """An instance count that could not be set so far: how often that was tried, and whether people were told."""

    tries: int
    retry_at: float
    told: bool = False


@dataclass(frozen=True)
class Sent:
    """The last UpdateEndpoint that was intended: to which config, when, and when the endpoint had last changed then."""

    target: str
    at: float
    modified_at: float


@dataclass(frozen=True)
class Rollout:
    """A rollout with the snapshot of the policy and the fleet that it started with."""

    id: str
    kind: Kind
    version: str
    package_arn: str | None
    container: Mapping[str, Any] | None
    slot: str
    stable_slot: str
    stable_config: str
    mixed_config: str
    final_config: str
    model: str
    image: str
    policy: Policy
    evidence: Evidence
    fleet: Fleet
    execution_role_arn: str
    started_at: float
    phase: Phase = Phase.PREPARE
    step: int = 0
    phase_since: float = 0.0
    done: tuple[str, ...] = ()
    instance_count: int | None = None
    smoke_passed: int = 0
    verified_since: float | None = None
    bake_skipped: bool = False
    paused: bool = False
    abort_reason: str | None = None
    sent: Sent | None = None
    failures: int = 0
    retry_at: float | None = None
    remark: str = ""
    setbacks: int = 0
    blind_since: float | None = None

    @property
    def weight(self) -> int:
        """Percentage of the traffic that the new version takes at the present step."""
        return self.policy.steps[self.step].weight

    def bake_is_over(self, now: float) -> bool:
        """Return whether the present weight has been watched for as long as the policy says."""
        if self.verified_since is None:
            return False
        return self.bake_skipped or now >= self.verified_since + self.policy.bake_of(self.step)

    @property
    def deadline(self) -> float:
        """When the rollout is given up."""
        return self.started_at + self.policy.deadline_seconds

    def moved(self, phase: Phase, now: float, **changes: Any) -> "Rollout":
        """Return the rollout in another phase, its retries and remarks begun anew."""
        fresh: dict[str, Any] = {"failures": 0, "retry_at": None, "remark": ""}
        return replace(self, phase=phase, phase_since=now, **{**fresh, **changes})


@dataclass(frozen=True)
class State:
    """Everything that is durable about an endpoint. `version` rises with every write.

    `newest_started` is when the newest version that a rollout was started for, or that was live already, was approved:
    an approval that was given before that is heard of too late. `owners` are the physical ids of the template's
    resources that declare the endpoint's fleet; more than one only while such a resource is being moved.
    """

    name: str
    live: Live
    desired_fleet: Fleet
    version: int = 0
    seed_config: str = ""
    previous_config: str | None = None
    failed_fleet: Fleet | None = None
    queued: Candidate | None = None
    newest_started: float = 0.0
    rollout: Rollout | None = None
    scaling: Scaling | None = None
    shortfall: Shortfall | None = None
    artefacts: tuple[Artefact, ...] = ()
    commands: tuple[Command, ...] = ()
    seen: tuple[str, ...] = ()
    outbox: tuple[Notice, ...] = ()
    retired: bool = False
    owners: tuple[str, ...] = ()
    audit_count: int = 0
    rollout_count: int = 0
    lease_owner: str | None = None
    lease_until: float = 0.0
    wake: float | None = None
    armed: float | None = None
    remark: str = ""
    schema: int = SCHEMA

    @classmethod
    def first(cls, name: str, config: str, fleet: Fleet, slot: str = BOOTSTRAP_SLOT) -> "State":
        """Return the state of an endpoint that the template has just created."""
        live = Live(slot, config, fleet, fleet.image)
        return cls(name=name, live=live, desired_fleet=fleet, seed_config=config)

    def leased_to_other(self, owner: str, now: float) -> bool:
        """Return whether somebody else holds the lease."""
        return self.lease_owner not in (None, owner) and now < self.lease_until

    @property
    def fleet_gap(self) -> list[str]:
        """Fields in which the live fleet is not the desired one and that only a rollout can bring."""
        gap = self.live.fleet.differences(self.desired_fleet)
        return [name for name in gap if name != "image" or not self.live.own_image]

    @property
    def fleet_changes(self) -> list[str]:
        """The gap that a rollout should close: none if that very rollout has already failed."""
        if self.failed_fleet is not None and not self.failed_fleet.differences(self.desired_fleet):
            return []
        return self.fleet_gap

    @property
    def has_work(self) -> bool:
        """Whether a rollout waits to be started."""
        return self.rollout is None and not self.retired and (self.queued is not None or bool(self.fleet_changes))


@dataclass(frozen=True)
class Episode:
    """One approval of a model package: from being approved to being anything else.

    `heard_at` is when the last event that changed nothing about it was sent, so that it is remarked upon once.
    """

    package_arn: str
    approved_at: float
    closed_at: float | None = None
    outcome: str = field(default=ACCEPTED)
    heard_at: float = 0.0

    @property
    def open(self) -> bool:
        """Whether the approval still stands."""
        return self.closed_at is None


def rollout_id(now: float, count: int) -> str:
    """Return a rollout's id: sortable, unique within the endpoint, and short, for it becomes part of names."""
    return f"{datetime.fromtimestamp(now, UTC):%y%m%d-%H%M%S}-{count % 1000:03d}"
