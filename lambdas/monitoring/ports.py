"""What the monitor needs of the world around it. Adapters implement these; tests use fakes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.monitoring.settings import Settings
from lambdas.monitoring.versions import Baselines, Timeline


@dataclass(frozen=True)
class StoredFile:
    """An object in S3: its key, its size in bytes, and when it was last written (epoch seconds)."""

    key: str
    size: int
    modified_at: float


class Files(Protocol):
    """Objects in S3."""

    def folders(self, bucket: str, prefix: str) -> list[str]:
        """Return the prefixes one level below a prefix that ends in a slash."""

    def below(self, bucket: str, prefix: str) -> Iterator[StoredFile]:
        """Yield what lies below a prefix."""

    def pieces(self, bucket: str, key: str) -> Iterator[bytes]:
        """Yield an object's content, unpacked if its key ends in ``.gz``.

        Raises
        ------
        MissingError
            When it is gone.
        """

    def read(self, uri: str) -> bytes | None:
        """Return an object that is small; None when there is none."""

    def write(self, bucket: str, key: str, body: bytes, content_type: str) -> str:
        """Write an object, and return its URI."""


@dataclass(frozen=True)
class Cursor:
    """Which windows come next: their starts, in epoch seconds.

    Parameters
    ----------
    next, next_labels
        The first window that has not been looked at, and the first that has not been looked at again with labels.
    revision
        Rises with every move; a move that was read at another one is refused.
    """

    next: int
    next_labels: int
    revision: int = 0


class Records(Protocol):
    """The monitoring table."""

    def cursor(self, endpoint: str) -> Cursor | None:
        """Return an endpoint's cursor; None before its first run."""

    def move(self, endpoint: str, cursor: Cursor) -> Cursor:
        """Write a cursor over the one of its revision (0: over none), and return it as it is now.

        Raises
        ------
        ConflictError
            When somebody else has moved it.
        """

    def window(self, endpoint: str, key: str) -> dict[str, Any] | None:
        """Return what is recorded of a window."""

    def put_window(self, endpoint: str, key: str, item: Mapping[str, Any]) -> None:
        """Record a window, in place of what was recorded before."""

    def before(self, endpoint: str, key: str, most: int) -> list[dict[str, Any]]:
        """Return what is recorded of the latest windows before one, the oldest first."""


@dataclass(frozen=True)
class JobOrder:
    """A Processing job that counts a window: inputs and output are S3 URIs by the name of their folder."""

    name: str
    arguments: Sequence[str]
    inputs: Mapping[str, str]
    manifests: frozenset[str]
    output: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class JobView:
    """How a job stands: SageMaker's status, and why it failed."""

    status: str
    reason: str = ""


class Jobs(Protocol):
    """SageMaker Processing jobs."""

    def look(self, name: str) -> JobView | None:
        """Return how a job stands; None when there is none."""

    def start(self, order: JobOrder, settings: Settings) -> None:
        """Start a job; one of that name that is there already is success."""


class Executions(Protocol):
    """Executions of Step Functions state machines, which are named by ARN."""

    def look(self, machine: str, name: str) -> JobView | None:
        """Return how an execution stands, and why it failed; None when there is none."""

    def start(self, machine: str, name: str, given: Mapping[str, Any]) -> None:
        """Start an execution; one of that name that is there already is success."""


class Versions(Protocol):
    """The rollout engine's record, and the model registry."""

    def timeline(self, endpoint: str) -> Timeline | None:
        """Return which versions were live; None when the endpoint has never been recorded."""

    def baselines(self, package_arn: str) -> Baselines:
        """Return where a package's baseline may lie."""


@dataclass(frozen=True)
class Datum:
    """A value of a metric; `feature` is empty where it is the endpoint's."""

    name: str
    value: float
    unit: str = "None"
    feature: str = ""


class Metrics(Protocol):
    """CloudWatch metrics."""

    def put(self, endpoint: str, at: float, data: Sequence[Datum]) -> None:
        """Send values of a time."""


class Events(Protocol):
    """The event bus."""

    def put(self, detail_type: str, detail: Mapping[str, Any], at: float) -> None:
        """Send an event; that it is taken is checked."""


class SettingsSource(Protocol):
    """Where settings come from."""

    def load(self, endpoint: str) -> Settings:
        """Return how an endpoint is monitored."""


class Clock(Protocol):
    """The time."""

    def now(self) -> float:
        """Return epoch seconds."""

    def left(self) -> float:
        """Return how many seconds this invocation has left for its work."""


class Log(Protocol):
    """Structured log lines."""

    def bind(self, **fields: object) -> None:
        """Add fields to every line from here on."""

    def info(self, message: str) -> None:
        """Write a line."""

    def warning(self, message: str) -> None:
        """Write a line that somebody may want to look at."""


@dataclass(frozen=True)
class Ports:
    """Everything that the monitor talks to."""

    files: Files
    records: Records
    jobs: Jobs
    executions: Executions
    versions: Versions
    metrics: Metrics
    events: Events
    settings: SettingsSource
    clock: Clock
    log: Log
