"""pause, resume, promote, abort, retry, rollback: commands to an endpoint's rollouts."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from tidegate.commands.context import Context, open_context
from tidegate.commands.ending import wait_for_end
from tidegate.commands.giving import event_of, give, giving_options, wait_option

_HELP = {
    "pause": "stop a rollout from going further; a rollback is not held up",
    "resume": "let a paused rollout go on",
    "promote": "end the present step's bake; with --full, go straight to all the traffic",
    "abort": "roll the active rollout back",
    "retry": "roll out again what failed last",
    "rollback": "put an earlier version live again, without the steps",
}
_WAITING = ("resume", "promote", "retry", "rollback")

Run = Callable[[argparse.Namespace], int]


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    for name, help_text in _HELP.items():
        parser = commands.add_parser(name, parents=[common], help=help_text, description=help_text)
        giving_options(parser)
        if name in _WAITING:
            wait_option(parser)
        if name == "promote":
            parser.add_argument("--full", action="store_true", help="skip the other steps, too")
        if name == "rollback":
            versions = 'the version, or "bootstrap" (default: what was live before)'
            parser.add_argument("--to", type=_version, metavar="V", help=versions)
        parser.set_defaults(run=_run(name))


def _version(text: str) -> str:
    """Refuse an empty text: a script whose variable is unset must not go back to whatever was live before."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: name a version, or leave --to out")
    return text


def _run(name: str) -> Run:
    return lambda arguments: steer(open_context(arguments), arguments, name)


def steer(context: Context, arguments: argparse.Namespace, command: str) -> int:
    """Give a command to an endpoint's rollouts, and wait for the rollout's end if that is asked for."""
    more = {"full": getattr(arguments, "full", False), "to": getattr(arguments, "to", None) or ""}
    give(context, event_of(context, arguments, command, **more), repeated=arguments.id is not None)
    return wait_for_end(context) if getattr(arguments, "wait", False) else 0
