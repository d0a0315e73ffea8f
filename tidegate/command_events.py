"""Commands to the engine or to retraining: events on the account's bus, made durable there and obeyed once each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

from botocore.exceptions import BotoCoreError

from lambdas import contract
from tidegate import aws_errors
from tidegate.aws import Aws
from tidegate.errors import OperatorError, UsageError

LONGEST_NAME, LONGEST_TARGET, LONGEST_REASON = 128, 256, 500
"""The engine cuts what is longer; an id that it cut would never be found again."""

TRIES = 3
_AGAIN = frozenset({"InternalFailure", "InternalException", "ThrottlingException"})


@dataclass(frozen=True)
class CommandEvent:
    """One command to one endpoint's engine.

    Parameters
    ----------
    endpoint
        The SageMaker endpoint's name.
    command
        What is asked: abort, pause, resume, promote, approve, retry, rollback, freeze or unfreeze.
    id
        The engine obeys an id once, however often it comes.
    by
        Who asks.
    reason
        Why.
    rollout
        The one rollout that is meant; None for whichever is active.
    to
        Of a rollback: the version; empty for what was live before.
    full
        Of a promotion: whether all further steps are skipped, not just the present one.
    """

    endpoint: str
    command: str
    id: str
    by: str
    reason: str = ""
    rollout: str | None = None
    to: str = ""
    full: bool = False
    detail_type: ClassVar[str] = contract.OPERATOR_COMMAND_DETAIL_TYPE

    def __post_init__(self) -> None:
        _at_most("--id", self.id, LONGEST_NAME)
        _at_most("--by", self.by, LONGEST_NAME)
        _at_most("--rollout", self.rollout or "", LONGEST_NAME)
        _at_most("--to", self.to, LONGEST_TARGET)
        _at_most("--reason", self.reason, LONGEST_REASON)

    @property
    def detail(self) -> str:
        """The event's detail; what is not set is left out."""
        return json.dumps({name: value for name, value in vars(self).items() if value})


class RetrainEvent(CommandEvent):
    """One command about retraining an endpoint's model: ``start``, or ``stop`` of the run that is under way."""

    detail_type: ClassVar[str] = contract.RETRAIN_COMMAND_DETAIL_TYPE


def _at_most(option: str, text: str, most: int) -> None:
    if len(text) > most:
        raise UsageError(f"{option} has {len(text)} characters", f"give at most {most}")


def fresh_id() -> str:
    """Return an id that no command has had."""
    return str(uuid4())


def put(aws: Aws, event: CommandEvent, sleep: Callable[[float], None] = time.sleep) -> None:
    """Hand the command to EventBridge, which takes it or says why not.

    Raises
    ------
    OperatorError
        When it was not taken, or nobody knows whether it was.
    """
    for attempt in range(1, TRIES + 1):
        failure = _put(aws, event)
        if failure is None:
            return
        code = str(failure.get("ErrorCode", "no code"))
        if code not in _AGAIN or attempt == TRIES:
            said = f"{code}: {failure.get('ErrorMessage', 'no reason given')}"
            raise OperatorError(
                f"EventBridge did not take the command {event.command} for {event.endpoint} ({said}); nothing is done",
                f"run it again with --id {event.id}",
            )
        sleep(0.2 * 2**attempt)


def _put(aws: Aws, event: CommandEvent) -> dict[str, Any] | None:
    try:
        answer = aws.events.put_events(
            Entries=[
                {
                    "Source": contract.OPERATOR_EVENT_SOURCE,
                    "DetailType": event.detail_type,
                    "Detail": event.detail,
                }
            ]
        )
    except BotoCoreError as error:
        told = aws_errors.explain(error)
        again = f"whether the command was taken is not known; run it again with --id {event.id}, it is obeyed once"
        raise OperatorError(told.message, f"{told.hint}; {again}" if told.hint else again) from error
    return dict(answer["Entries"][0]) if answer["FailedEntryCount"] else None
