"""batch start, stop, status, list: files of rows that an endpoint's live version answers as a whole."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from tidegate import batches
from tidegate.answers import Pace
from tidegate.batches import BatchEvent
from tidegate.command_events import fresh_id
from tidegate.commands.context import Context, open_context
from tidegate.errors import RefusedError, UsageError
from tidegate.identity import caller

_HELP = {
    "start": "answer all rows of a folder in S3 by the live version; after the run that is under way, if there is one",
    "stop": "stop the run that is under way; what is answered stays",
    "status": "show the run that is under way, or the last one, and what waits",
    "list": "list the runs",
}
_INPUT = "folder with CSV or JSON lines in the artefact bucket (default: batch-input/<endpoint>/)"
_BY = "who asks (default: your AWS identity)"
_ID = "the command's id: one is obeyed once, so that a script can repeat it"


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    parser = commands.add_parser("batch", help="answer files of rows, and see how that stands")
    orders = parser.add_subparsers(required=True)
    for name, text in _HELP.items():
        made = orders.add_parser(name, parents=[common], help=text, description=text)
        if name == "start":
            made.add_argument("--input", default="", help=_INPUT)
        if name in ("start", "stop"):
            made.add_argument("--reason", default="", help="why")
            made.add_argument("--by", help=_BY)
            made.add_argument("--id", help=_ID)
        made.set_defaults(run=_running(name))


def _running(name: str) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        context = open_context(arguments)
        if name in ("start", "stop"):
            return order(context, arguments, name)
        return status(context) if name == "status" else history(context)

    return run


def order(context: Context, arguments: argparse.Namespace, command: str, pace: Pace | None = None) -> int:
    """Give a command, wait for the answer and tell it.

    Raises
    ------
    RefusedError
        When it is refused; the message is the reason.
    """
    place = getattr(arguments, "input", "")
    if len(place) > batches.LONGEST_PLACE:
        raise UsageError(f"--input has {len(place)} characters", f"give at most {batches.LONGEST_PLACE}")
    event = BatchEvent(
        endpoint=context.endpoint.name,
        command=command,
        id=arguments.id or fresh_id(),
        by=arguments.by or caller(context.aws),
        reason=arguments.reason,
        input=place,
    )
    repeated = arguments.id is not None
    answer = batches.ask(context.aws, context.endpoint, event, pace or Pace(), repeated=repeated)
    if not answer.accepted:
        raise RefusedError(answer.text, f"see: {context.endpoint.command('batch status')}")
    context.show(batches.answer_document(event, answer), answer.text)
    return 0


def status(context: Context) -> int:
    """Show the run that is under way, or the last one, and what waits."""
    state = batches.load(context.aws, context.endpoint)
    found = batches.runs(context.aws, context.endpoint)
    context.show(batches.standing_document(state, found), batches.standing(state, found))
    return 0


def history(context: Context) -> int:
    """List the runs, the oldest first."""
    found = batches.runs(context.aws, context.endpoint)
    context.show({"runs": [batches.document(each) for each in found]}, batches.table(found))
    return 0
