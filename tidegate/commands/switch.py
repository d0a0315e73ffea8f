"""switch: a part of the front door off, and on again."""

from __future__ import annotations

import argparse
from typing import Any

from rich.text import Text

from tidegate.commands.context import Context, open_context
from tidegate.commands.door import door_of
from tidegate.errors import UsageError
from tidegate.switches import FLAGS, SECONDS, profile_of, states, switch

_HELP = "switch a part of the front door off, or on again; without a flag, show what is on"


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("switch", parents=[common], help=_HELP, description=_HELP)
    parser.add_argument("state", nargs="?", choices=("off", "on"), help="what it is to be")
    parser.add_argument("flag", nargs="?", choices=FLAGS, help="the part")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.state is not None and arguments.flag is None:
        raise UsageError(f"switch what {arguments.state}?", f"give one of {', '.join(FLAGS)}")
    return run(open_context(arguments), arguments.state, arguments.flag)


def run(context: Context, state: str | None, flag: str | None) -> int:
    """Switch a flag, or show all of them."""
    profile = profile_of(door_of(context), context.endpoint)
    if state is None or flag is None:
        found = states(context.aws, profile)
        context.show(found, Text("\n".join(f"{'on ' if on else 'off'}  {name}" for name, on in found.items())))
        return 0
    on = state == "on"
    changed = switch(context.aws, profile, flag, on=on)
    told = f"{flag} is {state} for all callers within {SECONDS} s" if changed else f"{flag} was {state} already"
    context.show(document(flag, on=on, changed=changed), told)
    return 0


def document(flag: str, *, on: bool, changed: bool) -> dict[str, Any]:
    """Return how a flag stands, and whether that is new."""
    return {"flag": flag, "on": on, "changed": changed}
