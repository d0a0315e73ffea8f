"""The item of an endpoint's retraining: what was seen, and the run that is under way. Plain values only.

Layout in the table, under the partition key ``RETRAINING#<endpoint>``: sort key ``STATE`` holds a `State`,
``AUDIT#<number>`` an entry of the audit trail, and ``RUN#<id>`` a run's summary.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA = 1
REMEMBERED_WINDOWS = 128
MOST_FEATURES = 12
"""Of a window whose features drifted, as many names are kept."""

REMEMBERED_EVENTS = 200
LONGEST_TEXT = 1000


class Status(StrEnum):
    """Where a run that is under way stands: meant to start, or started."""

    INTENDED = "INTENDED"
    RUNNING = "RUNNING"


class Outcome(StrEnum):
    """What became of a run.

    A challenger was registered; the champion was kept because it is as good; the challenger was refused, because its
    checks failed or another version is live than it was compared with; or the run failed before there was anything to
    say about a challenger.
    """

    REGISTERED = "registered"
    KEPT = "champion_stays"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True)
class Window:
    """What the monitor said of a window of traffic."""

    id: str
    start: float
    end: float
    severity: str
    severe: int
    features: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True)
class Champion:
    """The live version: what a challenger has to beat."""

    version: str
    package_arn: str | None = None
    config: str = ""
    slot: str = ""

    @property
    def key(self) -> str:
        """What tells it from others: names count only for what is in no registry."""
        return self.package_arn or self.version


@dataclass(frozen=True)
class Run:
    """A run that is under way.

    Parameters
    ----------
    id
        Also the token under which its execution is started, so that it is started once however often that is tried.
    trigger, reason
        What started it, in a word and in words.
    champion
        What was live when it was decided on.
    since, until
        The time whose captures it is trained on.
    began
        When the drift began that started it, if that did.
    decided_at
        When it was decided on.
    status, execution
        Where it stands; `execution` is the pipeline execution's ARN.
    attempts, tried_at
        How often its start has been tried, and when last: no two tries are under way at once.
    problem
        Why the last try failed.
    stopping
        Why it is to be stopped.
    """

    id: str
    trigger: str
    reason: str
    champion: Champion
    since: float
    until: float
    decided_at: float
    began: float | None = None
    status: Status = Status.INTENDED
    execution: str | None = None
    attempts: int = 0
    tried_at: float = 0.0
    problem: str = ""
    stopping: str = ""


@dataclass(frozen=True)
class Approval:
    """A registered version that is being approved by rule."""

    package_arn: str
    version: str
    run: str
    champion: str
    reason: str


@dataclass(frozen=True)
class Message:
    """Something that is still to be told: a ``notice`` to people, a ``fault`` to the alarm, or an ``event``."""

    kind: str
    subject: str
    text: str


@dataclass(frozen=True)
class State:
    """What is durable about an endpoint's retraining.

    Parameters
    ----------
    name
        The SageMaker endpoint's.
    version
        Of this item, for compare-and-swap.
    champion
        Key of the version that was live at the last look.
    fresh_from
        Windows that started before say nothing about what is live, or were dealt with by a run.
    windows
        The latest windows, by their start.
    seen
        Ids of commands that were taken in, the latest last.
    data_until, data_at
        Data until here were trained on; the latest news of data are of this time.
    scheduled_from
        When the present interval of the schedule began.
    month, month_runs
        A calendar month, and how many runs began in it.
    runs
        How many runs there have been.
    run, approval
        What is under way.
    last_ended_at, last_run
        When the last run ended, and its id.
    refused
        The last refusal, so that one that lasts is said once.
    outbox
        What is still to be told.
    """

    name: str
    version: int = 0
    schema: int = SCHEMA
    champion: str = ""
    fresh_from: float = 0.0
    windows: tuple[Window, ...] = ()
    seen: tuple[str, ...] = ()
    data_until: float = 0.0
    data_at: float = 0.0
    scheduled_from: float = 0.0
    month: str = ""
    month_runs: int = 0
    runs: int = 0
    run: Run | None = None
    approval: Approval | None = None
    last_ended_at: float | None = None
    last_run: str = ""
    refused: str = ""
    outbox: tuple[Message, ...] = ()
    audit_count: int = 0


@dataclass(frozen=True)
class Summary:
    """A run as it is listed."""

    run: Run
    outcome: str = ""
    text: str = ""
    ended_at: float | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
