"""What the demo saw. Nothing here is computed: every record is an answer that somebody gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tidegate.rollouts import AuditEntry, Rollout

MODEL_ERROR = "ModelError"
MODEL_FAILED = 500
"""What a serving container answers when the model itself fails; one that is being shut down answers 503."""

UNKNOWN = "unknown"

FAILED_ON_PURPOSE = "failed on purpose; the model was not asked"
"""By this reason a failure that the demo itself brought about is known from any other."""


@dataclass(frozen=True)
class Request:
    """One request of the traffic and its answer; times are epoch seconds.

    Parameters
    ----------
    due
        When it was scheduled; latency counts from here, so that waiting for a free sender is not hidden.
    sent
        When the call was made.
    done
        When its answer, or its failure, was there.
    variant
        The production variant that the answer names.
    failure
        Error code (``ModelError``), or kind of connection failure; empty when answered.
    status
        HTTP status; 0 without an answer.
    model_status
        Status that the model's container itself answered, where a `ModelError` tells it; 0 says that it did not answer.
    right
        Whether the answer agrees with what the weather did; None when there is none.
    index
        Its number in the traffic; -1 where nobody asks.
    """

    due: float
    sent: float
    done: float
    variant: str
    failure: str = ""
    status: int = 200
    model_status: int | None = None
    right: bool | None = None
    detail: str = ""
    index: int = -1

    @property
    def on_purpose(self) -> bool:
        """Whether the demo let it fail."""
        return bool(self.failure) and FAILED_ON_PURPOSE in self.detail

    @property
    def latency_ms(self) -> float:
        """Milliseconds from the scheduled instant to the answer."""
        return (self.done - self.due) * 1000


@dataclass(frozen=True)
class Sighting:
    """What DescribeEndpoint said: `asked` and `at` are when the call was made and answered."""

    asked: float
    at: float
    status: str
    config: str
    weights: Mapping[str, float]


@dataclass(frozen=True)
class AlarmSighting:
    """An alarm's state as DescribeAlarms said it: since when, and when it was first seen."""

    at: float
    name: str
    state: str
    since: float
    reason: str


@dataclass(frozen=True)
class Approval:
    """An approval that the demo gave."""

    version: str
    at: float


@dataclass(frozen=True)
class Misfortune:
    """A failure that the demo ordered for a version in a slot."""

    version: str
    slot: str
    at: float


@dataclass
class Observations:
    """All that was seen of one run.

    Parameters
    ----------
    handed_out
        How many requests the load generator says that it handed out; each must be among `requests`.
    traffic_ended
        When it was told to stop.
    """

    started: float
    endpoint: str
    rate: float
    requests: list[Request] = field(default_factory=list)
    handed_out: int = 0
    traffic_ended: float = 0.0
    sightings: list[Sighting] = field(default_factory=list)
    alarms: list[AlarmSighting] = field(default_factory=list)
    approvals: list[Approval] = field(default_factory=list)
    misfortunes: list[Misfortune] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    rollouts: list[Rollout] = field(default_factory=list)
    configs: dict[str, Mapping[str, str]] = field(default_factory=dict)
    observer_errors: list[str] = field(default_factory=list)
    ended: float = 0.0
