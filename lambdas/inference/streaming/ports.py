"""What a stream needs of the world."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.inference.predicting import Answered
from lambdas.inference.streaming.answers import Outcome


class Model(Protocol):
    """The endpoint."""

    def check(self, rows: Sequence[Any]) -> None:
        """Raise the `Problem` of rows that the model does not take, as far as that is known."""
        ...

    def ask(self, identity: str, rows: Sequence[Any]) -> Answered:
        """Return the model's answer; raise the `Problem` where there is none."""
        ...


class Results(Protocol):
    """The stream of answers."""

    def put(self, outcomes: Sequence[Outcome]) -> int | None:
        """Write outcomes; return the place of the first that was not written, None when all are."""
        ...


@dataclass(frozen=True)
class World:
    """What a stream needs.

    Parameters
    ----------
    left
        Returns how many seconds this invocation has left.
    pause
        Waits for some seconds.
    warn
        Told what went wrong.
    """

    model: Model
    results: Results
    left: Callable[[], float]
    pause: Callable[[float], None]
    warn: Callable[[str], None]
