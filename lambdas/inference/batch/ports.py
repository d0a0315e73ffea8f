"""What batches need of the world around them. Adapters implement these; tests use fakes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.inference.batch.objects import Stored
from lambdas.inference.batch.said import JobSeen
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import Model, Run, State, Summary
from lambdas.rollout.ports import Clock, Log, Trust


class Store(Protocol):
    """The inference table."""

    def load(self, name: str) -> State:
        """Return the endpoint's state; a fresh one when there is none."""

    def save(self, state: State, summaries: Sequence[Summary], plan: Plan) -> State:
        """Write the state and the summaries of runs in one transaction.

        Raises
        ------
        ConflictError
            When the state is no longer what was read.
        """


class Models(Protocol):
    """What the rollout engine recorded, and SageMaker's models: the live one, and those of runs."""

    def live(self, endpoint: str) -> Model:
        """Return the model that is live; `MissingError` before the endpoint's first deployment."""

    def make(self, model: Model) -> None:
        """Make a run's own model as it is described, unless it is there."""

    def remove(self, name: str) -> None:
        """Remove a run's own model; one that does not exist is removed."""


class Objects(Protocol):
    """S3."""

    def listed(self, bucket: str, prefix: str) -> Iterator[Stored]:
        """Yield the objects below a prefix, in the order of their keys."""

    def read(self, bucket: str, key: str) -> bytes:
        """Return an object; `MissingError` when there is none."""

    def write(self, bucket: str, key: str, content: bytes) -> None:
        """Write a JSON document."""

    def write_once(self, bucket: str, key: str, content: bytes) -> bytes:
        """Write a JSON document unless there is one; return what is there."""


class Transforms(Protocol):
    """SageMaker's batch transforms."""

    def see(self, name: str) -> JobSeen | None:
        """Return how a job stands; None when there is none."""

    def create(self, name: str, run: Run, manifest: str, plan: Plan) -> None:
        """Create a job for the objects of a manifest (S3 URI); one of that name that is there is taken for it."""

    def stop(self, name: str) -> None:
        """Have a job stopped; one that has ended is left as it is."""


class Executions(Protocol):
    """Executions of the state machine that puts answers under their keys."""

    def see(self, name: str) -> JobSeen | None:
        """Return how an execution stands; None when there is none."""

    def start(self, name: str, given: Mapping[str, Any]) -> None:
        """Start an execution; one of that name that is there is taken for it."""

    def stop(self, name: str, why: str) -> None:
        """Stop an execution; one that has ended is left as it is."""


class Announcer(Protocol):
    """The event bus."""

    def put(self, detail: str) -> None:
        """Send an event about a batch, its detail as JSON."""


class Faults(Protocol):
    """The alarm on what a person must put right."""

    def report(self, endpoint: str, reason: str) -> None:
        """Count a fault."""


@dataclass(frozen=True)
class Ports:
    """Everything that the controller talks to."""

    store: Store
    models: Models
    objects: Objects
    transforms: Transforms
    executions: Executions
    trust: Trust
    announcer: Announcer
    faults: Faults
    clock: Clock
    log: Log
