"""The item of an endpoint's batches: the run that is under way, and what waits. Plain values only.

Layout in the inference table, under the partition key ``BATCH#<endpoint>``: sort key ``STATE`` holds a `State`, and
``RUN#<id>`` a run's summary. Which objects a run answers is in S3: there may be too many of them for an item.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA = 1
REMEMBERED_ANSWERS = 50
MOST_WAITING = 10
SCHEDULE, OPERATOR = "schedule", "operator"


class Stage(StrEnum):
    """Where a run stands: decided on, being answered, being put under its keys, or to be written down."""

    PLANNED = "PLANNED"
    RUNNING = "RUNNING"
    LOADING = "LOADING"
    FINISHING = "FINISHING"


class Outcome(StrEnum):
    """What became of a run."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Wish:
    """A run that somebody wants.

    Parameters
    ----------
    id
        Of the command or of the schedule's event: one wish is taken in once.
    input
        S3 URI of the folder with the rows.
    content_type
        Of the rows.
    trigger, by, reason
        ``schedule`` or ``operator``, who, and why.
    at
        When.
    """

    id: str
    input: str
    content_type: str
    trigger: str
    by: str
    at: float
    reason: str = ""


@dataclass(frozen=True)
class Model:
    """What answers a run, from its beginning to its end: SageMaker's model, and the version that it is of.

    A run's is its own, made as `description` says: the live version's may be removed by rollouts while the run goes on.

    Parameters
    ----------
    name
        SageMaker's name of the model.
    version, key
        The version, and what tells its model from any other.
    description
        What CreateModel is given.
    width, outputs
        How many values a row has, and what its answers are called; None of a run whose rows have no keys.
    sha256
        What its artefact was signed with; empty if it was not.
    """

    name: str
    version: str
    key: str
    description: Mapping[str, Any] = field(default_factory=dict)
    width: int | None = None
    outputs: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def shown(self) -> dict[str, str]:
        """What tells it from others."""
        return {"name": self.name, "version": self.version, "key": self.key}

    @property
    def served(self) -> bool:
        """Return whether the answers can be asked for by key."""
        return self.width is not None


@dataclass(frozen=True)
class Run:
    """A run that is under way.

    Parameters
    ----------
    id
        Part of the names of its jobs and of its folder.
    wish
        What was wanted.
    decided_at
        When it was decided on.
    stage
        Where it stands.
    model, objects, bytes
        What answers it and how much there is to answer; recorded before its first job.
    left
        How many objects had no answer at the last look.
    attempt, attempted_at, left_before
        Number of its latest job, when that was decided on, and how many objects had no answer then.
    stalled
        How many jobs in a row answered no object whole.
    problem
        Why the latest job came to nothing.
    refused
        Why it cannot be created.
    trouble
        Why what was to be done lately could not be, although the run goes on; empty once it was.
    told
        For which of its steps people were told of such trouble.
    stopping
        Why it is to be stopped.
    loading
        Number of the latest attempt to put the answers under their keys.
    """

    id: str
    wish: Wish
    decided_at: float
    stage: Stage = Stage.PLANNED
    model: Model | None = None
    objects: int = 0
    bytes: int = 0
    left: int = 0
    attempt: int = 0
    attempted_at: float = 0.0
    left_before: int = 0
    stalled: int = 0
    problem: str = ""
    refused: str = ""
    trouble: str = ""
    told: str = ""
    stopping: str = ""
    loading: int = 0

    @property
    def step(self) -> str:
        """What it is at: a job, an attempt to load, or what comes before or after."""
        return f"{self.stage} {self.attempt} {self.loading}"

    @property
    def served(self) -> bool:
        """Return whether its answers can be asked for by key."""
        return self.model is not None and self.model.served


@dataclass(frozen=True)
class Answer:
    """What was said to a command or a schedule."""

    id: str
    accepted: bool
    text: str
    run: str = ""


@dataclass(frozen=True)
class Message:
    """Something that is still to be told: an ``event`` (JSON), a ``fault`` for the alarm, a ``model`` to remove."""

    kind: str
    text: str


@dataclass(frozen=True)
class State:
    """What is durable about an endpoint's batches.

    Parameters
    ----------
    name
        The SageMaker endpoint's.
    version
        Of this item, for compare-and-swap.
    run
        What is under way: one run at a time.
    waiting
        What is begun after it, in this order.
    answers
        What was said to the latest commands, by which one that comes twice is known.
    outbox
        What is still to be told.
    """

    name: str
    version: int = 0
    schema: int = SCHEMA
    run: Run | None = None
    waiting: tuple[Wish, ...] = ()
    answers: tuple[Answer, ...] = ()
    outbox: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Summary:
    """A run as it is listed; `outcome` is empty while it goes on."""

    run: Run
    outcome: str = ""
    text: str = ""
    ended_at: float | None = None
