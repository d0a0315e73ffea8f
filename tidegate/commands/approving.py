"""approve: a version, which is what deploys it, or the step at which a rollout waits."""

from __future__ import annotations

import argparse
from typing import Any

from tidegate.commands.context import Context, open_context
from tidegate.commands.ending import last_ended, wait_for_end, wait_for_rollout_of
from tidegate.commands.giving import event_of, give, giving_options, wait_option
from tidegate.commands.packages import decide
from tidegate.errors import UsageError

_HELP = "approve a version: this is what deploys it; or the step at which a rollout waits"


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("approve", parents=[common], help=_HELP, description=_HELP)
    parser.add_argument("--version", help="approve this registered version: its rollout starts by itself")
    parser.add_argument("--step", action="store_true", help="approve the step at which the rollout waits")
    giving_options(parser)
    wait_option(parser)
    parser.set_defaults(run=_approve)


def _approve(arguments: argparse.Namespace) -> int:
    if (arguments.version is None) != arguments.step:
        raise UsageError(
            "what is to be approved?" if arguments.version is None else "--version and --step exclude each other",
            "give --version V for a registered version, or --step for the step at which the rollout waits",
        )
    if arguments.step:
        return approve_step(open_context(arguments), arguments)
    for option in ("by", "id", "rollout"):
        if getattr(arguments, option) is not None:
            raise UsageError(f"--{option} belongs to --step", "leave it out: approving a version twice changes nothing")
    return approve_version(open_context(arguments), arguments.version, arguments.reason, wait=arguments.wait)


def approve_step(context: Context, arguments: argparse.Namespace) -> int:
    """Approve the step at which the rollout waits."""
    give(context, event_of(context, arguments, "approve"), repeated=arguments.id is not None)
    return wait_for_end(context) if arguments.wait else 0


def approve_version(context: Context, version: str, reason: str = "", *, wait: bool = False) -> int:
    """Approve a version, and wait for the end of its rollout if that is asked for."""
    before = last_ended(context) if wait else ""
    package = decide(context, version, "Approved", reason)
    return wait_for_rollout_of(context, package, before) if wait else 0
