"""switch: a part of the front door off, and on again."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from tidegate.commands.context import Context, open_context
from tidegate.commands.door import door_of
from tidegate.errors import UsageError
from tidegate.switches import FLAGS, SECONDS, Profile, profile_of, states, switch

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
        context.show(states_document(found, profile), _listed(found, profile))
        return 0
    on = state == "on"
    changed = switch(context.aws, profile, flag, on=on)
    configured = flag in profile.configured
    told = f"{flag} is {state} for all callers within {SECONDS} s" if changed else f"{flag} was {state} already"
    nothing = "" if configured else "; nothing is configured behind it now"
    context.show(document(flag, on=on, changed=changed, configured=configured), told + nothing)
    return 0


def states_document(found: Mapping[str, bool], profile: Profile) -> dict[str, Any]:
    """Return which flags are on, and which have nothing behind them."""
    return {**found, "not_configured": [flag for flag in found if flag not in profile.configured]}


def document(flag: str, *, on: bool, changed: bool, configured: bool) -> dict[str, Any]:
    """Return how a flag stands, whether that is new, and whether it has a part of the front door behind it."""
    return {"flag": flag, "on": on, "changed": changed, "configured": configured}


def _listed(found: Mapping[str, bool], profile: Profile) -> Text:
    lines = (
        f"{'on ' if on else 'off'}  {flag}{'' if flag in profile.configured else ' (not configured)'}"
        for flag, on in found.items()
    )
    return Text("\n".join(lines))
