"""freeze, unfreeze: stop all that goes forward on an endpoint, or on all of an environment's."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from tidegate import documents, views
from tidegate.answers import Asking, Pace
from tidegate.aws_errors import FAILURES, in_words
from tidegate.command_events import CommandEvent
from tidegate.commands.context import Environment, open_context, open_environment_context
from tidegate.commands.giving import Progress, event_of, give, giving_options
from tidegate.errors import OperatorError, RefusedError, UsageError
from tidegate.settings import EndpointSettings

_HELP = {
    "freeze": "let no rollout start or go forward until unfreeze; rolling back is never held up",
    "unfreeze": "let rollouts start and go forward again",
}


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    for name, help_text in _HELP.items():
        parser = commands.add_parser(name, parents=[common], help=help_text, description=help_text)
        parser.add_argument("--all", action="store_true", help="every endpoint of the environment")
        giving_options(parser, rollout=False)
        parser.set_defaults(run=_run(name))


def _run(name: str) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        if not arguments.all:
            context = open_context(arguments)
            give(context, event_of(context, arguments, name), repeated=arguments.id is not None)
            return 0
        if arguments.endpoint is not None:
            raise UsageError("--all and --endpoint exclude each other", "leave one of them out")
        return on_all(open_environment_context(arguments), arguments, name)

    return run


def on_all(environment: Environment, arguments: argparse.Namespace, command: str, pace: Pace | None = None) -> int:
    """Give a command to every endpoint, and tell what each answered; the worst decides the exit status."""
    given = [_ask(environment, endpoint, arguments, command, pace or Pace()) for endpoint in environment.endpoints]
    rows = [_told(environment, event, asking) for event, asking in given]
    environment.show(rows, views.answers_table(rows))
    if any(row["accepted"] is None for row in rows):
        return OperatorError.exit_status
    return 0 if all(row["accepted"] for row in rows) else RefusedError.exit_status


def _ask(
    environment: Environment, endpoint: EndpointSettings, arguments: argparse.Namespace, command: str, pace: Pace
) -> tuple[CommandEvent, Asking | Exception]:
    event = event_of(environment.of(endpoint), arguments, command)
    try:
        return event, Asking(environment.aws, endpoint, event, pace, repeated=arguments.id is not None)
    except FAILURES as error:
        # One endpoint out of reach must not keep the others from being frozen.
        return event, error


def _told(environment: Environment, event: CommandEvent, asking: Asking | Exception) -> dict[str, Any]:
    if isinstance(asking, Exception):
        return documents.unanswered(event, in_words(asking))
    try:
        with Progress(event, quiet=environment.json) as progress:
            return documents.answer(asking.wait(progress.tick))
    except FAILURES as error:
        return documents.unanswered(event, in_words(error))
