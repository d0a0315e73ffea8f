"""What the controller needs of the world around it. Adapters implement these; tests use fakes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.retraining.decision import Entry
from lambdas.retraining.said import Live
from lambdas.retraining.settings import Settings
from lambdas.retraining.state import Champion, State, Summary
from lambdas.rollout.ports import Clock, Log, Notifier


class Store(Protocol):
    """The retraining table."""

    def load(self, name: str) -> State:
        """Return the endpoint's state; a fresh one when there is none."""

    def save(self, state: State, entries: Sequence[Entry] = (), summary: Summary | None = None, *, now: float) -> State:
        """Write the state with its audit entries and a run's summary in one transaction.

        Raises
        ------
        ConflictError
            When the state is no longer what was read.
        """


class Rollouts(Protocol):
    """What the rollout engine recorded."""

    def live(self, name: str, settings: Settings) -> Live:
        """Return what is live.

        Raises
        ------
        MissingError
            When the endpoint has not been recorded yet.
        """


@dataclass(frozen=True)
class Model:
    """A version's artefact and its baseline (S3 URIs), and the container that it runs in."""

    uri: str
    baseline: str
    container: Mapping[str, Any]


class Models(Protocol):
    """Models, and versions in the registry."""

    def of(self, champion: Champion, settings: Settings) -> Model:
        """Return the model of the live version."""

    def approve(self, arn: str, run: str, reason: str) -> str:
        """Approve a version that waits for approval; return the status that it has if it does not wait.

        Raises
        ------
        ForeignError
            When its own metadata do not say that this run has registered it.
        """


@dataclass(frozen=True)
class Stored:
    """An object in the bucket."""

    key: str
    size: int


class Files(Protocol):
    """The artefact bucket."""

    def folders(self, bucket: str, prefix: str) -> list[str]:
        """Return the prefixes one level below a prefix."""

    def objects(self, bucket: str, prefix: str) -> Iterator[Stored]:
        """Yield the objects below a prefix, in the order of their keys."""

    def read(self, bucket: str, key: str) -> bytes:
        """Return a small object.

        Raises
        ------
        MissingError
            When there is none.
        TooLargeError
            When it is not small.
        """

    def write(self, bucket: str, key: str, content: bytes, content_type: str) -> None:
        """Write an object."""


class Pipelines(Protocol):
    """SageMaker pipelines."""

    def find(self, pipeline: str, name: str, since: float) -> str | None:
        """Return the execution (ARN) with a display name, begun after a time; None when there is none."""

    def start(self, pipeline: str, token: str, parameters: Mapping[str, str], description: str) -> str:
        """Start an execution, or return the one that was started with this token."""

    def status(self, execution: str) -> str:
        """Return an execution's status."""

    def failure(self, execution: str) -> str:
        """Return in words why an execution failed: which steps, and what they say."""

    def stop(self, execution: str, token: str) -> None:
        """Have an execution stopped."""


class Announcer(Protocol):
    """The event bus."""

    def put(self, detail: str) -> None:
        """Send an event of retraining, its detail as JSON."""


class Faults(Protocol):
    """The alarm on what a person must put right."""

    def report(self, endpoint: str, reason: str) -> None:
        """Count a fault."""


class SettingsSource(Protocol):
    """Where endpoints' settings come from."""

    def load(self, name: str) -> Settings | None:
        """Return an endpoint's settings; None when it is not retrained."""

    def all(self) -> list[Settings]:
        """Return the settings of every endpoint that is retrained."""


@dataclass(frozen=True)
class Ports:
    """Everything that the controller talks to."""

    store: Store
    rollouts: Rollouts
    models: Models
    files: Files
    pipelines: Pipelines
    announcer: Announcer
    faults: Faults
    notifier: Notifier
    settings: SettingsSource
    clock: Clock
    log: Log
