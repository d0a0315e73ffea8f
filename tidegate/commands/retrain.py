"""retrain start, stop, status, history: retraining an endpoint's model."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from rich.console import Group
from rich.text import Text

from lambdas.retraining.settings import Settings
from tidegate import (
    loop_settings,
    retraining,
    retraining_approvals,
    retraining_starts,
    retraining_status,
    retraining_views,
    rollouts,
)
from tidegate.answers import Pace
from tidegate.command_events import RetrainEvent, fresh_id
from tidegate.commands.context import Context, open_context
from tidegate.commands.giving import Progress
from tidegate.errors import OperatorError, RefusedError
from tidegate.identity import caller
from tidegate.retraining_answers import Answer, Asking

_HELP = {
    "start": "start a retraining run now; cool-down and rollouts do not hold it up, the month's budget does",
    "stop": "stop the run that is under way",
    "status": "show what is under way, or why nothing starts",
    "history": "list the runs: why each began, and what became of it",
}


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    parser = commands.add_parser("retrain", help="retrain an endpoint's model, and see how that stands")
    orders = parser.add_subparsers(required=True)
    made = {
        name: orders.add_parser(name, parents=[common], help=text, description=text) for name, text in _HELP.items()
    }
    for name in ("start", "stop"):
        made[name].add_argument(
            "--reason",
            type=_reason if name == "start" else str,
            required=name == "start",
            default="",
            help="why, for the audit trail",
        )
        made[name].add_argument("--by", help="who asks, for the audit trail (default: your AWS identity)")
        made[name].add_argument("--id", help="the command's id: one is obeyed once, so that a script can repeat it")
        made[name].set_defaults(run=_ordering(name))
    made["status"].set_defaults(run=lambda arguments: status(open_context(arguments), time.time()))
    made["history"].add_argument("--trail", action="store_true", help="also what was decided, and why")
    made["history"].set_defaults(run=lambda arguments: history(open_context(arguments), with_trail=arguments.trail))


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError('it is empty: say why, as in --reason "the autumn was odd"')
    return text


def _ordering(command: str) -> Callable[[argparse.Namespace], int]:
    return lambda arguments: order(open_context(arguments), arguments, command)


def order(context: Context, arguments: argparse.Namespace, command: str, pace: Pace | None = None) -> int:
    """Give a command, wait for the answer and tell it; of a start, also what became of it in its first seconds.

    Raises
    ------
    RefusedError
        When it is refused; the message is the reason.
    OperatorError
        When the run has failed at once.
    """
    _declared(context)
    event = RetrainEvent(
        endpoint=context.endpoint.name,
        command=command,
        id=arguments.id or fresh_id(),
        by=arguments.by or caller(context.aws),
        reason=arguments.reason,
    )
    pace = pace or Pace()
    asking = Asking(context.aws, context.endpoint, event, pace, repeated=arguments.id is not None)
    with Progress(event, quiet=context.json) as progress:
        answer = asking.wait(progress.tick)
    if not answer.accepted:
        raise RefusedError(answer.entry.text, f"see: {context.endpoint.command('retrain status')}")
    run = answer.entry.run
    if command != "start" or not run:
        context.show(answer_document(answer), answer.entry.text)
        return 0
    start = retraining_starts.follow(context.aws, context.endpoint, run, pace)
    told = answer.entry.text if start.failed else f"{answer.entry.text}\n{start.text}"
    context.show(answer_document(answer, start.status), told)
    if start.failed:
        raise OperatorError(
            f"the run {run} has failed: {start.text}", f"see: {context.endpoint.command('retrain history')}"
        )
    return 0


def _declared(context: Context) -> Settings:
    settings = loop_settings.retraining(context.aws, context.endpoint)
    if settings is None:
        raise OperatorError(*_undeclared(context))
    return settings


def _undeclared(context: Context) -> tuple[str, str]:
    endpoint = context.endpoint
    return f"{endpoint.name} is not retrained", loop_settings.how_to_declare(endpoint, "retraining")


def answer_document(answer: Answer, status: str = "") -> dict[str, Any]:
    """Return what was said to a command, and of a start how the run stands."""
    return {
        "id": answer.event.id,
        "endpoint": answer.event.endpoint,
        "command": answer.event.command,
        "by": answer.entry.by or answer.event.by,
        "accepted": answer.accepted,
        "text": answer.entry.text,
        "at": answer.entry.at,
        "run": answer.entry.run or None,
        "status": status or None,
    }


def status(context: Context, now: float) -> int:
    """Show what is under way, or why nothing starts; `now` is in epoch seconds."""
    aws, endpoint = context.aws, context.endpoint
    settings = loop_settings.retraining(aws, endpoint)
    if settings is None:
        context.show(retraining_status.document(endpoint.name, None), "; ".join(_undeclared(context)))
        return 0
    live = retraining_status.live_of(rollouts.load(aws, endpoint), settings)
    state, runs = retraining.load(aws, endpoint), retraining.runs(aws, endpoint)
    left = retraining_approvals.waiting(aws, endpoint, runs, retraining.trail(aws, endpoint))
    found = replace(retraining_status.standing(settings, state, live, runs, now), left=tuple(left))
    context.show(retraining_status.document(endpoint.name, found), retraining_views.status(found))
    return 0


def history(context: Context, *, with_trail: bool) -> int:
    """List the runs, and what was decided if that is asked for."""
    aws, endpoint = context.aws, context.endpoint
    if loop_settings.retraining(aws, endpoint) is None:
        context.show({"runs": [], "entries": [], "waiting": []}, "; ".join(_undeclared(context)))
        return 0
    runs = retraining.runs(aws, endpoint)
    trail = retraining.trail(aws, endpoint)
    left = retraining_approvals.waiting(aws, endpoint, runs, trail)
    value = {
        "runs": [retraining_status.run_document(run) for run in runs],
        "entries": [asdict(entry) for entry in trail] if with_trail else [],
        "waiting": [asdict(each) for each in left],
    }
    parts = [retraining_views.history(runs), *retraining_views.left_to_people(left)]
    parts += [Text(""), retraining_views.trail(trail)] if with_trail else []
    context.show(value, Group(*parts))
    return 0
