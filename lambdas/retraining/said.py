"""What the controller is told: from outside, and of what became of what it asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.retraining.state import Champion, Window

EXECUTING = frozenset({"Executing", "Stopping"})
SUCCEEDED = "Succeeded"


@dataclass(frozen=True)
class Live:
    """What the rollout table says of the endpoint: the version that takes the traffic, and which is on its way."""

    champion: Champion
    rolling_out: str = ""


@dataclass(frozen=True)
class Look:
    """Time has passed, or the execution may have changed: look at what is under way."""


@dataclass(frozen=True)
class Drifted:
    """The monitor's word on a window."""

    window: Window


@dataclass(frozen=True)
class DataCame:
    """New data lie in the bucket."""

    id: str
    at: float
    key: str = ""


@dataclass(frozen=True)
class Ordered:
    """An operator's command: ``start`` or ``stop``."""

    id: str
    command: str
    by: str
    at: float
    reason: str = ""


@dataclass(frozen=True)
class Started:
    """The run has an execution; `notes` says what its manifests hold."""

    run: str
    execution: str
    notes: str = ""


@dataclass(frozen=True)
class NotStarted:
    """The run could not be started.

    `final` when trying again would not help unless a person changes something; `none_began` when it is certain that no
    execution has begun.
    """

    run: str
    reason: str
    final: bool
    none_began: bool


@dataclass(frozen=True)
class Conclusion:
    """What the pipeline's last step wrote: `outcome` is one of `state.Outcome`.

    `doubts` are reasons to look at the labels, whatever was measured with them.
    """

    outcome: str
    reason: str = ""
    package_arn: str | None = None
    version: str = ""
    better: bool = False
    checks_passed: bool = False
    signature_change: bool = True
    gain: float = 0.0
    p_value: float | None = None
    doubts: tuple[str, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Followed:
    """How the run's execution stands; `failure` in words, `conclusion` once it is over and left one."""

    run: str
    status: str
    failure: str = ""
    conclusion: Conclusion | None = None


@dataclass(frozen=True)
class Approved:
    """What became of approving a version; `stood` is the status that it had already, when that was decided before."""

    package_arn: str
    stood: str = ""
    problem: str = ""


Said = Look | Drifted | DataCame | Ordered | Started | NotStarted | Followed | Approved


@dataclass(frozen=True)
class Given:
    """One thing that the controller is told, and what is live as it is told."""

    said: Said
    live: Live
