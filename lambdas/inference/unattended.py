"""Predictions that no caller waits for, of jobs and of streams: asked for as others are, but for what stands in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lambdas.inference.headers import Asked
from lambdas.inference.identity import Caller
from lambdas.inference.ports import Ports
from lambdas.inference.predicting import Answered, Call, Predictor
from lambdas.inference.settings import Breaker, FrontDoor

_NEVER = 1_000_000_000


def patient(settings: FrontDoor) -> FrontDoor:
    """Return settings of which every answer is the model's own.

    Who can wait is better served by the model's answer later than by an old one or a default now; and what comes back
    later by itself needs no breaker to hold it up.
    """
    return replace(settings, cache=None, default_answer=None, breaker=Breaker(failures=_NEVER))


@dataclass(frozen=True)
class Asking:
    """Who asks, and about whom.

    Parameters
    ----------
    id
        By which the prediction is known.
    client, caller
        The application, and in whose name it asks; empty where nobody says.
    subject
        Whom the rows are about; empty where nobody says.
    """

    id: str
    client: str
    caller: str = ""
    subject: str = ""


class Unattended:
    """Asks an endpoint's model when nobody waits for the answer.

    Parameters
    ----------
    settings, ports
        As of `Predictor`.
    left
        Returns how many seconds this invocation has left.
    """

    def __init__(self, settings: FrontDoor, ports: Ports, left: Callable[[], float]) -> None:
        self._predictor = Predictor(patient(settings), ports)
        self._left = left

    def ask(self, asking: Asking, instances: Sequence[Any]) -> Answered:
        """Return the model's answer.

        Raises
        ------
        Problem
            When there is none.
        """
        caller = Caller(asking.client, asking.client)
        asked = Asked(asking.caller or None, asking.subject or None)
        return self._predictor.predict(Call(asking.id, caller, asked, instances, self._left))
