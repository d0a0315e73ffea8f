"""What the engine needs of the world around it. Adapters implement these; tests use fakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lambdas.rollout.actions import CreateFinalConfig, CreateMixedConfig, CreateModel, CreateShadowConfig
from lambdas.rollout.comparison import Totals
from lambdas.rollout.decision import Entry
from lambdas.rollout.episode import Episode
from lambdas.rollout.evidence import Answered, Evidence
from lambdas.rollout.fleet import Scaling
from lambdas.rollout.judge import Paired, Series
from lambdas.rollout.observation import EndpointView, Health
from lambdas.rollout.policy import Hook, SmokeTest
from lambdas.rollout.settings import Settings
from lambdas.rollout.state import Rollout, State


@dataclass(frozen=True)
class Package:
    """A model package as the registry shows it."""

    arn: str
    group: str
    approval: str
    status: str
    modified_at: float
    version: str
    containers: Sequence[Mapping[str, Any]]
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Due:
    """An endpoint that the index lists, and when it wants to be looked at."""

    name: str
    wake: float


class Store(Protocol):
    """The rollout table."""

    def load(self, name: str) -> State | None:
        """Return the endpoint's state, or None when it has none."""

    def save(
        self,
        state: State,
        entries: Sequence[Entry] = (),
        *,
        now: float,
        rollout: Rollout | None = None,
        episode: Episode | None = None,
    ) -> State:
        """Write the state with its audit entries, a rollout's summary and an episode in one transaction.

        Raises
        ------
        ConflictError
            When the state is no longer what was read. Episodes change only together with it.
        """

    def episodes(self, name: str) -> dict[str, Episode]:
        """Return the approval episodes of the endpoint's packages by ARN."""

    def pairs(self, name: str, rollout: str) -> tuple[Paired, ...]:
        """Return how both versions of a rollout answered the same requests."""

    def active(self) -> list[Due]:
        """Return the endpoints on which something is under way, those that have waited longest first."""

    def idle(self) -> list[Due]:
        """Return the endpoints on which nothing is under way."""


class Endpoints(Protocol):
    """SageMaker endpoints, endpoint configs and models."""

    def describe(self, name: str) -> EndpointView:
        """Look at an endpoint."""

    def container_of(self, action: CreateModel) -> Mapping[str, Any]:
        """Return the container that the model is going to have; known without that where the action carries one."""

    def create_model(self, action: CreateModel) -> None:
        """Make the model, or make sure that the one of that name is the same."""

    def create_mixed_config(self, action: CreateMixedConfig) -> None:
        """Make the config with both variants, or make sure that the one of that name is the same."""

    def create_shadow_config(self, action: CreateShadowConfig) -> None:
        """Make the config with the new variant as a shadow, or make sure that the one of that name is the same."""

    def create_final_config(self, action: CreateFinalConfig) -> None:
        """Make the config with the new variant alone, or make sure that the one of that name is the same."""

    def update(self, name: str, config: str) -> None:
        """Put a config live."""

    def set_weights(self, name: str, weights: Mapping[str, float]) -> None:
        """Set the weights of variants."""

    def set_capacity(self, name: str, slot: str, count: int) -> None:
        """Set the instance count of a variant."""

    def delete(self, kind: str, name: str) -> None:
        """Delete an endpoint config or a model; one that does not exist is deleted."""


class Invoker(Protocol):
    """Sends a request to one variant."""

    def invoke(self, name: str, slot: str, test: SmokeTest) -> None:
        """Return when the variant has answered well; raise `ModelAnswerError` when the model answers with an error."""


@dataclass(frozen=True)
class Answer:
    """What a hook says: ``go``, ``no-go`` or ``wait``, and why."""

    decision: str
    reason: str = ""


class Hooks(Protocol):
    """Functions of the user's that are asked whether a rollout may go on."""

    def ask(self, hook: Hook, question: Mapping[str, Any]) -> Answer:
        """Return the function's answer; one that is none of the three decisions is an error."""


class Alarms(Protocol):
    """CloudWatch alarms."""

    def expect(self, names: Sequence[str]) -> None:
        """Be told which endpoints' alarms will be asked for at once, so as to read many in one call."""

    def hear(self, alarm: str, reason: str) -> None:
        """Be told of an event by which a composite alarm has just gone to ALARM, in case it cannot be read now."""

    def failing(self) -> frozenset[str]:
        """Return the endpoints of which a slot's composite alarm is in ALARM."""

    def health(self, name: str, slot: str) -> Health:
        """Read the alarms of a slot."""


class Metrics(Protocol):
    """CloudWatch metrics."""

    def answered(
        self, name: str, slot: str, asked: Evidence, since: float, now: float, *, p99: bool = False
    ) -> Answered:
        """Count a slot's answers in the whole periods between two times; `p99` asks for the latency's as well."""

    def totals(self, name: str, asked: Evidence, since: float, now: float) -> Mapping[str, Totals]:
        """Add up both slots' answers in the whole periods between two times."""

    def baseline_p99(self, name: str, slot: str, now: float) -> float | None:
        """Return the 99th percentile of a slot's latency in milliseconds of late; None if it answered too little."""

    def series(
        self, name: str, slot: str, asked: Evidence, since: float, now: float, threshold_ms: float | None
    ) -> Series:
        """Count errors and answers slower than the threshold of a new version in `slot` and of the live one.

        Only of periods that lie wholly between two times, and for which both versions' numbers have come in.
        """


class Autoscaling(Protocol):
    """Application Auto Scaling of production variants."""

    def keep(self, name: str, slot: str, scaling: Scaling) -> None:
        """Make the scalable target and its policy what is declared."""

    def release(self, name: str, slot: str) -> None:
        """Deregister the scalable target, if there is one."""


class Registry(Protocol):
    """The model registry."""

    def describe(self, arn: str) -> Package | None:
        """Return a package, or None when there is none."""

    def approved(self, group: str) -> list[str]:
        """Return the ARNs of a group's approved packages, the newest first."""


class Trust(Protocol):
    """Signatures, and what lies where they say."""

    def is_valid(self, key: str, message: bytes, signature: bytes) -> bool:
        """Return whether a signature was made over the message with a key."""

    def sha256(self, uri: str) -> str:
        """Return the SHA-256 of an object in hexadecimal digits.

        Raises
        ------
        MissingError
            When there is none.
        TooLargeError
            When it would have to be read through and is too large for that.
        """


class SettingsSource(Protocol):
    """Where endpoints' settings come from."""

    def load(self, name: str) -> Settings:
        """Return an endpoint's settings."""


class Timers(Protocol):
    """Wakes the engine later."""

    def wake(self, name: str, delay: float, due: float | None = None) -> None:
        """Have the endpoint looked at after `delay` seconds; `due` identifies the timer that was armed."""

    def wake_all(self, names: Sequence[str]) -> None:
        """Have all of these endpoints looked at now."""


class Notifier(Protocol):
    """Tells people."""

    def tell(self, subject: str, text: str) -> None:
        """Send a notification."""


class Clock(Protocol):
    """The time."""

    def now(self) -> float:
        """Return epoch seconds."""

    def elapsed(self) -> float:
        """Return seconds on a clock that never jumps."""


class Log(Protocol):
    """Structured log lines."""

    def bind(self, **fields: object) -> None:
        """Add fields to every line from here on."""

    def info(self, message: str) -> None:
        """Write a line."""

    def warning(self, message: str) -> None:
        """Write a line that somebody may want to look at."""

    def exception(self, message: str) -> None:
        """Write a line about the error that is being handled, with its traceback."""


@dataclass(frozen=True)
class Ports:
    """Everything that the engine talks to."""

    store: Store
    endpoints: Endpoints
    invoker: Invoker
    hooks: Hooks
    alarms: Alarms
    metrics: Metrics
    autoscaling: Autoscaling
    registry: Registry
    trust: Trust
    settings: SettingsSource
    timers: Timers
    notifier: Notifier
    clock: Clock
    log: Log
