"""The item of an endpoint: what is live, what is wanted, and the rollout that is under way. Plain values only.

Layout in the table, under the partition key ``ENDPOINT#<name>``: sort key ``STATE`` holds a `State`,
``AUDIT#<rollout or ->#<number>`` an entry of the audit trail, ``ROLLOUT#<id>`` a rollout's summary, and
``PACKAGE#<hash>`` a package's episode of approval (`lambdas.rollout.episode`). How both versions answered the same
requests is kept in another partition (`lambdas.rollout.answers.paired`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from lambdas.contract import BOOTSTRAP_SLOT
from lambdas.rollout.evidence import Evidence
from lambdas.rollout.fleet import Fleet, Scaling, repository
from lambdas.rollout.policy import Policy, Step
from lambdas.rollout.replacing import replace

SCHEMA = 1
REMEMBERED_COMMANDS = 50
REMEMBERED_VERSIONS = 10


class Phase(StrEnum):
    """Where a rollout stands."""

    SHADOW = "SHADOW"
    PREPARE = "PREPARE"
    TEST = "TEST"
    SHIFT = "SHIFT"
    BAKE = "BAKE"
    APPROVE = "APPROVE"
    SOAK = "SOAK"
    FINALIZE = "FINALIZE"
    ROLLBACK = "ROLLBACK"
    RESTORE = "RESTORE"
    PROMOTED = "PROMOTED"
    ROLLED_BACK = "ROLLED_BACK"
    ABANDONED = "ABANDONED"


FORWARD = frozenset({Phase.SHADOW, Phase.PREPARE, Phase.TEST, Phase.SHIFT, Phase.BAKE, Phase.APPROVE, Phase.SOAK})
"""Phases from which a rollout can be aborted."""

WITH_TRAFFIC = frozenset({Phase.SHIFT, Phase.BAKE, Phase.APPROVE, Phase.SOAK})
"""Phases in which the new version may take traffic, and can be aborted."""

TERMINAL = frozenset({Phase.PROMOTED, Phase.ROLLED_BACK, Phase.ABANDONED})


class Kind(StrEnum):
    """What a rollout brings: a model version, or the live model on a changed fleet."""

    MODEL = "model"
    FLEET = "fleet"


UNKNOWN = "unknown"
"""What stands for the version of a config that the engine did not put live, and of what is made from that."""


@dataclass(frozen=True)
class Live:
    """What takes the traffic while no rollout is active.

    `image` is the container it runs on, empty if unknown. `restored` says that an operator went back to it. `sha256` is
    what its artefact was signed with, empty if it was not, or nobody knows.
    """

    slot: str
    config: str
    fleet: Fleet
    image: str
    package_arn: str | None = None
    version: str = "bootstrap"
    restored: bool = False
    sha256: str = ""

    @property
    def own_image(self) -> bool:
        """Whether the model brought its own container, which a change of the fleet's leaves alone."""
        return repository(self.image) != repository(self.fleet.image)


@dataclass(frozen=True)
class Source:
    """The model of a config's variant; `image` is the container that it ran on, empty if unknown."""

    config: str
    slot: str
    image: str = ""


@dataclass(frozen=True)
class Candidate:
    """A version that may be rolled out.

    `container` is what CreateModel needs of its package; a version that is in no registry is cloned from `source`, a
    config that it was live with. `straight` skips the steps, `urgent` the windows and a freeze: that is the way back.
    `back_again` says that it failed as the way back and is tried once more, which is not urgent. `sha256` is what its
    artefact was signed with, if it was.
    """

    package_arn: str | None
    version: str
    approved_at: float
    container: Mapping[str, Any] | None
    source: Source | None = None
    straight: str = ""
    urgent: bool = False
    back_again: bool = False
    sha256: str = ""


@dataclass(frozen=True)
class Past:
    """A version that was live, until when, and the config and the container that it was live with.

    `sha256` is what its artefact was signed with, as far as that is known.
    """

    version: str
    package_arn: str | None
    config: str
    slot: str
    until: float
    image: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Freeze:
    """Who stopped all that goes forward on an endpoint, when and why."""

    by: str
    at: float
    reason: str = ""


@dataclass(frozen=True)
class Command:
    """A request that waits to be obeyed; `rollout` None means whichever is active.

    `full` belongs to promote. `to` belongs to rollback, with `candidate`, or `refusal` when that cannot be had.
    """

    id: str
    kind: str
    at: float
    by: str
    reason: str = ""
    rollout: str | None = None
    full: bool = False
    to: str = ""
    candidate: Candidate | None = None
    refusal: str = ""


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
    """The last change of config or instances that was intended, when, and when the endpoint had last changed then."""

    target: str
    at: float
    modified_at: float


@dataclass(frozen=True)
class Rollout:
    """A rollout with the snapshot of the policy and the fleet that it started with.

    `slow_ms` is the live version's 99th percentile before the new one took traffic, by which both are judged; None when
    it had answered too little. `judged_since` is when the new one first took traffic, `judged` the latest judgement.
    """

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
    shadow_config: str = ""
    source: Source | None = None
    straight: str = ""
    urgent: bool = False
    progress_at: float = 0.0
    waiting_since: float | None = None
    cleared: tuple[str, ...] = ()
    asked_since: float | None = None
    effect_step: int | None = None
    effect_since: float | None = None
    steered_at: float = 0.0
    slow_ms: float | None = None
    judged_since: float | None = None
    judged: Mapping[str, Any] | None = None
    back_again: bool = False
    sha256: str = ""

    @property
    def goes_back(self) -> bool:
        """Whether an operator asked to go back to its version, however many attempts that takes."""
        return self.urgent or self.back_again

    @property
    def present(self) -> Step:
        """The present step."""
        return self.policy.plan[self.step]

    @property
    def in_effect(self) -> Step | None:
        """The step whose weight is in effect: while the next one's is being set, that of the last one verified."""
        if self.phase is not Phase.SHIFT:
            return self.present
        return None if self.effect_step is None else self.policy.plan[self.effect_step]

    @property
    def watched_since(self) -> float | None:
        """Since when its answers count against it: since the weight in effect was verified, or it became a shadow."""
        return self.effect_since if self.phase is Phase.SHIFT else self.verified_since

    @property
    def weight(self) -> int:
        """Percentage of the traffic that the new version takes at the present step."""
        return self.present.weight

    @property
    def min_requests(self) -> int:
        """Requests that it must have answered before it may go on, beside those that the alarms need."""
        shadow = self.policy.shadow
        return shadow.min_requests if self.phase is Phase.SHADOW and shadow else self.present.min_requests

    @property
    def compares(self) -> bool:
        """Whether its answers at the present weight must be added up: to be counted, or compared with the live ones."""
        looks = self.phase in (Phase.SHADOW, Phase.BAKE, Phase.APPROVE, Phase.SOAK)
        return looks and bool(self.phase is Phase.SHADOW or self.min_requests or self.policy.is_test(self.step))

    @property
    def judges(self) -> bool:
        """Whether it is compared with the live version, which takes it that both have traffic at some step.

        The way back is not, for what is live may be what is bad.
        """
        return self.policy.judge is not None and len(self.policy.plan) > 1 and not self.urgent

    @property
    def is_judged(self) -> bool:
        """Whether it has taken traffic that it is judged by, and can still be aborted."""
        return self.judges and self.judged_since is not None and self.phase in WITH_TRAFFIC

    @property
    def needs_verdict(self) -> bool:
        """Whether the present step passes only with a verdict: at the last one the live version answers nothing."""
        return self.judges and not self.policy.is_last(self.step)

    def has(self, gate: str) -> bool:
        """Return whether a gate of the present step (``before``, ``approval``, ``judged``...) has been passed."""
        return f"{gate}:{self.step}" in self.cleared

    def passed(self, gate: str) -> tuple[str, ...]:
        """Return `cleared` with a gate of the present step."""
        return self.cleared if self.has(gate) else (*self.cleared, f"{gate}:{self.step}")

    @property
    def bake_seconds(self) -> int:
        """How long it must stay healthy as it is."""
        shadow = self.policy.shadow
        return shadow.seconds if self.phase is Phase.SHADOW and shadow else self.policy.bake_of(self.step)

    def bake_is_over(self, now: float) -> bool:
        """Return whether the present weight has been watched for as long as the policy says."""
        if self.verified_since is None:
            return False
        return self.bake_skipped or now >= self.verified_since + self.bake_seconds

    @property
    def deadline(self) -> float:
        """When the rollout is given up, unless it makes progress or waits for people."""
        return self.progress_at + self.policy.progress_deadline_seconds

    def moved(self, phase: Phase, now: float, **changes: Any) -> "Rollout":
        """Return the rollout in another phase, its retries and remarks begun anew."""
        fresh: dict[str, Any] = {"failures": 0, "retry_at": None, "remark": "", "asked_since": None}
        return replace(self, phase=phase, phase_since=now, **{**fresh, **changes})


@dataclass(frozen=True)
class State:
    """Everything that is durable about an endpoint. `version` rises with every write.

    `failed` is the version whose rollout last ended without a promotion, which can be retried; `past` what was live
    before, the latest last. `newest_started` is when the newest version that a rollout was started for, or that was
    live already, was approved: an approval that was given before that is heard of too late. `steered_at` is when the
    latest freeze or unfreeze was sent. `owners` are the physical
    ids of the template's resources that declare the endpoint's fleet; more than one only while one is being moved.
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
    failed: Candidate | None = None
    past: tuple[Past, ...] = ()
    frozen: Freeze | None = None
    steered_at: float = 0.0
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
    def has_failed_fleet(self) -> bool:
        """Whether a change of the fleet has failed and is still to be made."""
        return self.failed_fleet is not None and bool(self.fleet_gap)

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


def rollout_id(now: float, count: int) -> str:
    """Return a rollout's id: sortable, unique within the endpoint, and short, for it becomes part of names."""
    return f"{datetime.fromtimestamp(now, UTC):%y%m%d-%H%M%S}-{count % 1000:03d}"
