"""What the commands to the engine share: their options, giving them, and telling the answer."""

from __future__ import annotations

import argparse
from typing import Any

from rich.status import Status
from rich.text import Text

from tidegate import documents
from tidegate.answers import Answer, Asking, Pace
from tidegate.command_events import CommandEvent, fresh_id
from tidegate.commands.context import Context
from tidegate.console import make_error_console
from tidegate.errors import RefusedError
from tidegate.identity import caller

QUIET_SECONDS = 2.0


def giving_options(parser: argparse.ArgumentParser, *, rollout: bool = True) -> None:
    """Add the options that commands to the engine share."""
    parser.add_argument("--reason", default="", help="why, for the audit trail")
    parser.add_argument("--by", help="who asks, for the audit trail (default: your AWS identity)")
    parser.add_argument("--id", help="the command's id: one is obeyed once, so that a script can repeat it safely")
    if rollout:
        parser.add_argument("--rollout", metavar="ID", help="only this rollout is meant (default: the active one)")


def wait_option(parser: argparse.ArgumentParser) -> None:
    """Add the option to wait for the rollout's end."""
    parser.add_argument("--wait", action="store_true", help="end when the rollout has; status 4 if not in PROMOTED")


def event_of(context: Context, arguments: argparse.Namespace, command: str, **more: Any) -> CommandEvent:
    """Return the command that the options ask for."""
    return CommandEvent(
        endpoint=context.endpoint.name,
        command=command,
        id=arguments.id or fresh_id(),
        by=arguments.by or caller(context.aws),
        reason=arguments.reason,
        rollout=getattr(arguments, "rollout", None),
        **more,
    )


def give(context: Context, event: CommandEvent, *, repeated: bool, pace: Pace | None = None) -> Answer:
    """Give a command, wait for the answer and tell it.

    Raises
    ------
    RefusedError
        When the engine refuses it; the message is its reason.
    """
    asking = Asking(context.aws, context.endpoint, event, pace or Pace(), repeated=repeated)
    with Progress(event, quiet=context.json) as progress:
        answer = asking.wait(progress.tick)
    if not answer.accepted:
        raise RefusedError(answer.entry.text, f"see: {context.endpoint.command('status')}")
    context.show(documents.answer(answer), Text(answer.entry.text))
    return answer


class Progress:
    """Says that an answer is being waited for, once that takes longer than a person expects; a context.

    Parameters
    ----------
    event
        The command.
    quiet
        Whether to say nothing.
    """

    def __init__(self, event: CommandEvent, *, quiet: bool) -> None:
        self._console = make_error_console()
        self._text = Text(f"waiting for the answer to {event.command} from {event.endpoint} (--id {event.id})")
        self._status = Status(self._text, console=self._console)
        self._said = quiet

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def tick(self, seconds: float) -> None:
        """Take note that it has been waited for so long."""
        if self._said or seconds < QUIET_SECONDS:
            return
        self._said = True
        if self._console.is_terminal:
            self._status.start()
        else:
            self._console.print(self._text, soft_wrap=True)
