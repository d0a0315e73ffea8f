"""models: the life of registered versions: list, show, diff, deprecate, pin, unpin."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from lambdas.rollout.versions import BOOTSTRAP
from tidegate import loop_settings
from tidegate.commands.context import Context, open_context
from tidegate.errors import OperatorError, UsageError
from tidegate.identity import caller
from tidegate.models import archiving, pinning, showing, standing, views
from tidegate.models.archiving import ARCHIVE, LOST, Archiver, Policy
from tidegate.models.differing import compare
from tidegate.models.files import Files
from tidegate.models.record import Record, find, records

KEEP, OLDER_THAN_DAYS = 5, 90.0
_HELP = {
    "list": "list the registered versions: what each is worth, and what holds it",
    "show": "show everything that is known of a version",
    "diff": "show in what two versions differ",
    "deprecate": "archive old versions that nothing holds; archived ones are rejected, not deleted",
    "pin": "keep a version from being archived",
    "unpin": "let a pinned version be archived like any other",
}


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    parser = commands.add_parser("models", help="the life of registered versions: list, compare, archive, pin")
    orders = parser.add_subparsers(required=True)
    made = {
        name: orders.add_parser(name, parents=[common], help=text, description=text) for name, text in _HELP.items()
    }
    for name in ("show", "pin", "unpin"):
        made[name].add_argument("version", help="the version's name")
    made["diff"].add_argument("a", metavar="A", help="a version")
    made["diff"].add_argument("b", metavar="B", help="the version to compare it with, such as a newer one")
    made["pin"].add_argument("--reason", required=True, help="why it must stay")
    made["pin"].add_argument("--by", help="who wants it (default: your AWS identity)")
    _deprecating(made["deprecate"])
    for name, run in _RUN.items():
        made[name].set_defaults(run=_opening(run))


def _deprecating(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep", type=_count, default=KEEP, metavar="N", help=f"keep the N newest (default: {KEEP})")
    parser.add_argument(
        "--older-than",
        type=_days,
        default=OLDER_THAN_DAYS,
        metavar="DAYS",
        help=f"archive only what was registered longer ago (default: {OLDER_THAN_DAYS:g})",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be archived and what not, and why")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"it is {text!r}: give a whole number from 0")
    return int(text)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not math.isfinite(days) or days < 0:
        raise argparse.ArgumentTypeError(f"it is {text!r}: give a number of days from 0")
    return days


def _opening(run: Callable[[Context, argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    return lambda arguments: run(open_context(arguments), arguments)


def list_models(context: Context, _: argparse.Namespace) -> int:
    """List the versions, oldest first."""
    recorded, files = standing.load(context.aws, context.endpoint), Files(context.aws)
    rows = [showing.row_of(record, recorded, files) for record in records(context.aws, context.endpoint.name)]
    context.show([showing.row(row) for row in rows], views.list_table(rows))
    return 0


def show(context: Context, arguments: argparse.Namespace) -> int:
    """Show everything that is known of a version."""
    record = _named(context, arguments.version)
    recorded = standing.load(context.aws, context.endpoint)
    document = showing.whole(context.aws, context.endpoint, record, recorded)
    context.show(document, views.whole(document))
    return 0


def diff(context: Context, arguments: argparse.Namespace) -> int:
    """Show in what two versions differ."""
    found = compare(_named(context, arguments.a), _named(context, arguments.b), Files(context.aws))
    context.show(asdict(found), views.comparison(found))
    return 0


def deprecate(context: Context, arguments: argparse.Namespace, now: Callable[[], float] = time.time) -> int:
    """Archive old versions that nothing holds, or show which; the exit status is 1 when one could not be."""
    aws, endpoint = context.aws, context.endpoint
    recorded = archiving.known(standing.load(aws, endpoint), endpoint)
    policy = Policy(arguments.keep, arguments.older_than)
    verdicts = archiving.judge(records(aws, endpoint.name), recorded, policy, now())
    if not arguments.dry_run and any(each.action == ARCHIVE for each in verdicts):
        verdicts = Archiver(aws, endpoint, caller(aws), now).carry_out(verdicts)
    context.show(
        [views.verdict_document(each, dry_run=arguments.dry_run) for each in verdicts],
        views.verdicts_table(verdicts, dry_run=arguments.dry_run),
    )
    return OperatorError.exit_status if any(each.action == LOST for each in verdicts) else 0


def pin(context: Context, arguments: argparse.Namespace) -> int:
    """Keep a version from being archived."""
    record = _named(context, arguments.version)
    changed = pinning.pin(context.aws, record, arguments.by or caller(context.aws), arguments.reason)
    text = "is pinned" if changed else f"is pinned already ({record.pinned}); nothing changed"
    return _told(context, record, text, pinned=True, changed=changed)


def unpin(context: Context, arguments: argparse.Namespace) -> int:
    """Let a version be archived like any other."""
    record = _named(context, arguments.version)
    changed = pinning.unpin(context.aws, record)
    return _told(
        context, record, "is pinned no longer" if changed else "is not pinned; nothing changed", changed=changed
    )


_RUN: dict[str, Callable[[Context, argparse.Namespace], int]] = {
    "list": list_models,
    "show": show,
    "diff": diff,
    "deprecate": deprecate,
    "pin": pin,
    "unpin": unpin,
}


def _told(context: Context, record: Record, text: str, *, changed: bool, pinned: bool = False) -> int:
    value = {"arn": record.package.arn, "version": record.version, "pinned": pinned, "changed": changed}
    context.show(value, f"{record.version} {text}")
    return 0


def _bootstrap(context: Context) -> set[str]:
    """Return what the model is called that the template brought."""
    retraining = loop_settings.retraining(context.aws, context.endpoint)
    monitoring = loop_settings.monitoring(context.aws, context.endpoint)
    told = {retraining.bootstrap.version} if retraining else set()
    return {BOOTSTRAP} | told | ({monitoring.bootstrap_version} if monitoring else set())


def _named(context: Context, version: str) -> Record:
    known = records(context.aws, context.endpoint.name)
    listed = f"list those that are: {context.endpoint.command('models list')}"
    if all(record.version != version for record in known) and version in _bootstrap(context):
        raise UsageError(
            f"{version} is the bootstrap model, which the template brought; it is not in the registry", listed
        )
    return find(known, context.endpoint.name, version, f"list them: {context.endpoint.command('models list')}")
