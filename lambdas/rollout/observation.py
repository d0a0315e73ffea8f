"""What one look at AWS shows. Plain values, so that a decision can be tested without AWS."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lambdas.rollout.actions import Action
from lambdas.rollout.comparison import Compared
from lambdas.rollout.evidence import Answered
from lambdas.rollout.judge import Contest, Judgement
from lambdas.rollout.settings import Settings

IN_SERVICE = "InService"
BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})
LOST = frozenset({"Missing", "Deleting", "Failed"})
"""Statuses from which an endpoint never comes back."""


@dataclass(frozen=True)
class Variant:
    """A production variant: its weights and instance counts, as they are and as they are wanted."""

    weight: float
    desired_weight: float
    count: int
    desired_count: int

    def stands_at(self, weight: float) -> bool:
        """Return whether the weight is in effect and nothing else is wanted."""
        return abs(self.weight - weight) < 1e-6 and abs(self.desired_weight - weight) < 1e-6


@dataclass(frozen=True)
class EndpointView:
    """An endpoint as DescribeEndpoint shows it; status ``Missing`` when there is none. `shadows` answer only copies."""

    status: str
    config: str = ""
    variants: Mapping[str, Variant] = field(default_factory=dict)
    failure_reason: str = ""
    modified_at: float = 0.0
    shadows: Mapping[str, Variant] = field(default_factory=dict)


@dataclass(frozen=True)
class Alarm:
    """An alarm's state, ``MISSING`` when there is no such alarm; `meaning` is its description, for a person."""

    name: str
    state: str
    reason: str = ""
    meaning: str = ""

    @property
    def complaint(self) -> str:
        """Say what is wrong, in the words of the alarm's description and with CloudWatch's numbers."""
        numbers = f": {self.reason}" if self.reason else ""
        named = f"alarm {self.name}{numbers}"
        return f"{self.meaning} ({named})" if self.meaning else named


@dataclass(frozen=True)
class Health:
    """The alarms of one slot."""

    unhealthy: Alarm
    error_rate: Alarm
    latency: Alarm

    @property
    def failing(self) -> bool:
        """Whether the slot must be taken off the traffic: the composite alarm may lag behind its parts."""
        return any(alarm.state == "ALARM" for alarm in (self.unhealthy, self.error_rate, self.latency))

    @property
    def missing(self) -> str:
        """Name of an alarm that does not exist; empty when all do."""
        return next((a.name for a in (self.unhealthy, self.error_rate, self.latency) if a.state == "MISSING"), "")

    @property
    def objection(self) -> str:
        """Which alarm speaks against the slot; empty when none does, though nothing may speak for it either."""
        for alarm in (self.unhealthy, self.error_rate, self.latency):
            if alarm.state in ("ALARM", "MISSING"):
                return f"alarm {alarm.name} is {alarm.state}"
        return ""

    @property
    def doubts(self) -> str:
        """What keeps the slot from counting as healthy; empty when nothing does. Too little traffic is not health."""
        for alarm in (self.error_rate, self.latency):
            if not self.objection and alarm.state != "OK":
                return f"alarm {alarm.name} is {alarm.state}: too few requests to judge by"
        return self.objection

    @property
    def cause(self) -> str:
        """Name the alarms that are in ALARM and why, for a person."""
        children = [alarm for alarm in (self.error_rate, self.latency) if alarm.state == "ALARM"]
        return "; ".join(alarm.complaint for alarm in children or [self.unhealthy])


class Result(StrEnum):
    """How an action ended. ``LATER`` was refused for now; of ``UNKNOWN`` nobody knows whether it was carried out."""

    DONE = "done"
    LATER = "later"
    UNKNOWN = "unknown"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of the previous cycle's action.

    Parameters
    ----------
    action, result, reason
        What was asked, how that ended and why.
    passed
        Good answers to a smoke test.
    final
        Whether the model itself failed the smoke test, or its artefact is not what was signed: trying again would prove
        nothing.
    decision
        A hook's: ``go``, ``no-go`` or ``wait``.
    foreign
        Whether what was to be created is there, but somebody else's.
    """

    action: Action
    result: Result
    reason: str = ""
    passed: int = 0
    final: bool = False
    decision: str = ""
    foreign: bool = False

    def done(self, kind: type[Action]) -> bool:
        """Return whether an action of this kind has been carried out."""
        return isinstance(self.action, kind) and self.result is Result.DONE


@dataclass(frozen=True)
class Observation:
    """One look: None stands for what was not looked at or could not be read.

    `baseline_ms` is the live version's 99th percentile, 0 when it has answered too little to have one.
    """

    endpoint: EndpointView
    health: Health | None = None
    answered: Answered | None = None
    compared: Compared | None = None
    baseline_ms: float | None = None
    judgement: Judgement | None = None
    contest: Contest | None = None
    package_status: str | None = None
    settings: Settings | None = None
    outcome: Outcome | None = None
    problems: tuple[str, ...] = ()
