"""What jobs need of the world."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.inference.jobs.job import Job
from lambdas.inference.jobs.messages import Message
from lambdas.inference.problems import Problem
from lambdas.rollout.errors import ModelAnswerError


@dataclass(frozen=True)
class Answer:
    """What a model answered.

    Parameters
    ----------
    body
        As the serving container sent it: JSON with `predictions`.
    model_version, variant
        Who answered; no version where it is not known.
    """

    body: bytes
    model_version: str = ""
    variant: str = ""


class Store(Protocol):
    """The jobs."""

    def load(self, endpoint: str, identity: str) -> Job | None:
        """Return a job as it is now; None where there is none (any more)."""
        ...

    def create(self, job: Job, now: float) -> None:
        """Write a new job; raise `ConflictError` where there is one under its id that has not expired."""
        ...

    def save(self, job: Job) -> Job:
        """Write a job and return it as written; raise `ConflictError` where it has changed since it was read."""
        ...


class Files(Protocol):
    """The artefact bucket."""

    def read(self, key: str, most_bytes: int | None = None) -> bytes:
        """Return an object; raise `MissingError` where it is gone, `TooLargeError` where it has more bytes."""
        ...

    def write(self, key: str, content: bytes) -> None:
        """Write an object of JSON."""
        ...


class Queue(Protocol):
    """The queue that workers are woken by."""

    def send(self, body: str) -> None:
        """Send a message."""
        ...


class DeadLetters(Protocol):
    """Where operators find what could not be done."""

    def send(self, body: str, reason: str) -> None:
        """Send a message with the reason beside it."""
        ...


class Announcer(Protocol):
    """The event bus."""

    def announce(self, detail: Mapping[str, Any]) -> None:
        """Say that a job has ended."""
        ...


class Model(Protocol):
    """The endpoint."""

    def ask(self, job: Job, body: bytes) -> Answer:
        """Return the model's answer; raise `Problem` or a `TidegateError` where there is none."""
        ...


@dataclass(frozen=True)
class HandedOver:
    """Where an endpoint that answers later will leave its answer.

    Parameters
    ----------
    output, failure
        URIs of the answer, and of why there is none; empty where they are not known.
    standing
        What the endpoint stands for just now; empty where that is not certain.
    seconds
        After which there will be neither.
    """

    output: str
    failure: str
    standing: str
    seconds: float


class PerhapsOutdatedError(ModelAnswerError):
    """Rows were refused by a version that is perhaps no longer live; the one that is may take them.

    Parameters
    ----------
    problem
        The refusal.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"it was refused by a version that is perhaps no longer live: {problem}")
        self.problem = problem


class JobsEndpoint(Protocol):
    """An endpoint that answers later. It writes down itself what it has predicted, as `Model` does."""

    @property
    def longest_seconds(self) -> float:
        """Return after how long an attempt that was handed over is over at the latest."""
        ...

    def ready(self) -> bool:
        """Return whether it takes requests by now."""
        ...

    def hand_over(self, job: Job, body: bytes) -> HandedOver:
        """Give it a job's attempt; raise `Problem` or a `TidegateError` where it does not take it."""
        ...

    def heard(self, message: Message) -> HandedOver | None:
        """Return what a message tells of an attempt of which nobody has written down that it was handed over.

        None where it names no place that the endpoint writes to.
        """
        ...

    def look(self, job: Job, failure: str) -> Answer | None:
        """Return its answer; None where there is none yet.

        Parameters
        ----------
        job
            As it was handed over.
        failure
            Why there will be none, as far as that has been told.

        Raises
        ------
        Problem, ModelAnswerError
            Where there will be none; `PerhapsOutdatedError` where the rows were refused, not certainly by who is live.
        TidegateError
            Where that could not be found out.
        """
        ...


class Clock(Protocol):
    """The time."""

    def now(self) -> float:
        """Return epoch seconds."""
        ...
