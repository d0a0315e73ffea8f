"""status, history, watch: how an endpoint and its rollouts fare."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from rich.console import Group
from rich.text import Text

from tidegate import documents, drawing, rollouts, views
from tidegate.commands.context import Context, open_context
from tidegate.commands.ending import judge, tell
from tidegate.errors import UsageError
from tidegate.looking import Clock, Look, Looker
from tidegate.moving import MovingPicture
from tidegate.rollouts import AuditEntry, Rollout

STATUS_LINES = 3
HISTORY_LINES = 50
ALL = "all"


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    text = "show the endpoint, its rollout and its alarms, once"
    status_parser = commands.add_parser("status", parents=[common], help=text, description=text)
    status_parser.set_defaults(run=lambda arguments: status(open_context(arguments)))
    _add_history(commands, common)
    text = "watch the endpoint until interrupted"
    watch_parser = commands.add_parser("watch", parents=[common], help=text, description=text)
    watch_parser.add_argument(
        "--until-idle", action="store_true", help="end when no rollout is active; status 4 if not in PROMOTED"
    )
    watch_parser.set_defaults(run=lambda arguments: watch(open_context(arguments), until_idle=arguments.until_idle))


def _add_history(commands: Any, common: argparse.ArgumentParser) -> None:
    text = "list the rollouts and the audit trail: who did what, and when"
    parser = commands.add_parser("history", parents=[common], help=text, description=text)
    parser.add_argument("--rollout", metavar="ID", help="only this rollout")
    parser.add_argument(
        "--limit",
        type=_limit,
        metavar="N",
        default=HISTORY_LINES,
        help=f"so many of the last entries, or all (default: {HISTORY_LINES})",
    )
    parser.set_defaults(run=lambda arguments: history(open_context(arguments), arguments.rollout, arguments.limit))


def _limit(text: str) -> int | None:
    """Return how many entries are asked for; None for all."""
    if text == ALL:
        return None
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"it is {text!r}: give a whole number from 1, or {ALL}")
    return int(text)


def status(context: Context) -> int:
    """Show the endpoint now."""
    look = Looker(context.aws, context.endpoint, context.versions).look()
    trail = list(look.trail[-STATUS_LINES:])
    context.show(documents.status(look.snapshot, trail), drawing.draw(look.snapshot, trail))
    return 0


def history(context: Context, rollout: str | None, limit: int | None = HISTORY_LINES) -> int:
    """List the rollouts and the audit trail, or those of one rollout."""
    known = rollouts.summaries(context.aws, context.endpoint)
    if rollout is not None:
        known = [_named(context, known, rollout)]
    trail = rollouts.audit(context.aws, context.endpoint, rollout)
    shown = trail if limit is None else trail[-limit:]
    value = {
        "rollouts": [documents.summary(each) for each in known],
        "entries": [documents.entry(each) for each in shown],
    }
    context.show(value, _history(known, shown, len(trail) - len(shown)))
    return 0


def _named(context: Context, known: list[Rollout], rollout: str) -> Rollout:
    for each in known:
        if each.id == rollout:
            return each
    raise UsageError(
        f"{context.endpoint.name} has had no rollout {rollout!r}", f"list them: {context.endpoint.command('history')}"
    )


def _history(known: list[Rollout], shown: list[AuditEntry], left_out: int) -> Group:
    earlier = [Text(f"({left_out} earlier entries: --limit {ALL})", style="dim")] if left_out else []
    return Group(views.rollouts_table(known), Text(""), *earlier, views.audit_table(shown))


def watch(context: Context, *, until_idle: bool, clock: Clock | None = None) -> int:
    """Keep drawing the endpoint; without a terminal, or as JSON, write what is new."""
    clock = clock or Clock()
    looker = Looker(context.aws, context.endpoint, context.versions, clock)
    looks = looker.until(lambda seen: until_idle and seen.idle)
    if context.json or not context.console.is_terminal:
        _follow(context, looks)
    else:
        MovingPicture(context.console, clock.now).show(looks)
    return judge(context, rollouts.latest(context.aws, context.endpoint))


def _follow(context: Context, looks: Iterable[Look]) -> None:
    for look in looks:
        tell(context, look.fresh)
