"""What a front door needs of the world around it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.inference.flags import Switches
from lambdas.inference.problems import Problem
from lambdas.inference.signature import Signature
from lambdas.inference.view import Served, Views


class InvocationError(Exception):
    """The endpoint has given no prediction.

    Parameters
    ----------
    problem
        What the caller is told.
    at_fault
        Whether that is the endpoint's fault, and not that of the request.
    no_variant
        Whether there is no such production variant as was asked for.
    of_input
        Whether the model itself has answered that it failed, which may be because of these very rows.
    unasked
        Whether no version was asked, so that this says nothing of any.
    cause
        What really happened, for the log.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        at_fault: bool,
        no_variant: bool = False,
        of_input: bool = False,
        unasked: bool = False,
        cause: str = "",
    ) -> None:
        super().__init__(cause or str(problem))
        self.problem = problem
        self.at_fault = at_fault
        self.no_variant = no_variant
        self.of_input = of_input
        self.unasked = unasked


@dataclass(frozen=True)
class Invoked:
    """What an endpoint has answered, and which of its production variants."""

    body: str
    variant: str


class Runtime(Protocol):
    """The endpoint."""

    def invoke(self, body: bytes, variant: str | None, prediction_id: str, seconds: float) -> Invoked:
        """Return its answer to JSON; at most one more attempt begins, and none that could outlast `seconds`.

        Raises
        ------
        InvocationError
            When it gives no prediction.
        """


class Table(Protocol):
    """The front doors' table. What it cannot do it raises as a `TidegateError`."""

    def get(self, partition: str, sort: str) -> Mapping[str, Any] | None:
        """Return an item; None when there is none."""

    def put(self, item: Mapping[str, Any]) -> None:
        """Write an item over whatever was there."""


@dataclass(frozen=True)
class AnswerKey:
    """What an answer is kept under.

    Parameters
    ----------
    endpoint
        The endpoint that was asked.
    who
        What gave the answer: the model, and the config that it is live with.
    input_hash
        Hash of the rows.
    """

    endpoint: str
    who: str
    input_hash: str


@dataclass(frozen=True)
class KeptAnswer:
    """An answer as it is kept.

    Parameters
    ----------
    body
        As it was given.
    who
        What gave it, which whoever reads it holds against what was asked for.
    version
        Its version, as operators know it.
    at
        When it was given (epoch seconds).
    """

    body: str
    who: str
    version: str
    at: float


class AnswerStore(Protocol):
    """Where answers are kept. What it cannot do it raises as a `TidegateError`."""

    def prime(self) -> None:
        """Do beforehand what the first call would wait for."""

    def get(self, key: AnswerKey) -> KeptAnswer | None:
        """Return an answer; None when there is none.

        Raises
        ------
        KeyError, TypeError, ValueError
            When what is there is no answer.
        """

    def put(self, key: AnswerKey, answer: KeptAnswer, seconds: int) -> None:
        """Keep an answer over whatever was there, for no shorter than it says."""


class Signatures(Protocol):
    """What the models of an endpoint take."""

    def of(self, served: Served) -> Signature | None:
        """Return what a version takes; None when that is not known. Never raises."""


class FeatureFlags(Protocol):
    """What operators have switched off."""

    def latest(self) -> Switches:
        """Return what is on. Never raises."""


class Log(Protocol):
    """The function's log."""

    def info(self, message: str, **fields: object) -> None:
        """Write a line."""

    def warning(self, message: str, **fields: object) -> None:
        """Write a line that somebody may want to look at."""

    def exception(self, message: str, **fields: object) -> None:
        """Write a line about the error that is being handled, with its traceback."""

    def record(self, line: str) -> None:
        """Write one line as it is."""

    def count(self, metric: str) -> None:
        """Count one more of something, for alarms."""


@dataclass(frozen=True)
class Ports:
    """Everything outside.

    Parameters
    ----------
    table
        Of the front doors, where answers of batches are found by key.
    now
        Returns epoch seconds.
    clock
        Returns seconds on a clock that never jumps, by which it is told how long a request takes.
    freshness_clock
        Returns seconds on the clock of `views`, by which it is told how old something is: they pass while the function
        is frozen, too.
    """

    runtime: Runtime
    table: Table
    answers: AnswerStore
    views: Views
    signatures: Signatures
    flags: FeatureFlags
    log: Log
    now: Callable[[], float]
    clock: Callable[[], float]
    freshness_clock: Callable[[], float]
