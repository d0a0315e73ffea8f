"""status, history, watch: how an endpoint and its rollouts fare."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live as LiveDisplay
from rich.text import Text

from tidegate import live, rollouts, views
from tidegate.commands.context import Context, open_context
from tidegate.errors import UsageError
from tidegate.rollouts import AuditEntry, Rollout

REDRAW_SECONDS = 1.0
AUDIT_LINES = 12


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    status_parser = commands.add_parser("status", parents=[common], help="show the endpoint, its alarms and rollout")
    status_parser.set_defaults(run=lambda arguments: status(open_context(arguments)))
    history_parser = commands.add_parser("history", parents=[common], help="list rollouts, or one's audit trail")
    history_parser.add_argument("--rollout", help="a rollout's id, for its audit trail")
    history_parser.set_defaults(run=lambda arguments: history(open_context(arguments), arguments.rollout))
    watch_parser = commands.add_parser("watch", parents=[common], help="watch the endpoint until interrupted")
    watch_parser.add_argument("--until-idle", action="store_true", help="end when no rollout is active")
    watch_parser.set_defaults(run=lambda arguments: watch(open_context(arguments), until_idle=arguments.until_idle))


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """All that is shown of an endpoint at one moment."""

    endpoint: live.Live
    versions: dict[str, str]
    alarms: list[live.Alarm]
    rollout: Rollout | None
    trail: list[AuditEntry]

    @property
    def idle(self) -> bool:
        """Return whether no rollout is under way."""
        return self.rollout is None or self.rollout.ended


def take_snapshot(context: Context) -> Snapshot:
    """Look at the endpoint, its alarms and its latest rollout."""
    endpoint = live.observe(context.aws, context.endpoint.name)
    known = rollouts.summaries(context.aws, context.endpoint)
    latest = known[-1] if known else None
    trail = rollouts.audit(context.aws, context.endpoint, latest.id) if latest else []
    alarms = live.alarms(context.aws, context.endpoint.name)
    return Snapshot(endpoint, dict(context.versions.of(endpoint.config)), alarms, latest, trail)


def draw(snapshot: Snapshot, lines: int = AUDIT_LINES) -> RenderableType:
    """Return the picture of a snapshot."""
    return Group(
        views.endpoint_view(snapshot.endpoint, snapshot.versions),
        Text(""),
        views.alarms_table(snapshot.alarms),
        Text(""),
        _draw_rollout(snapshot.rollout),
        views.audit_lines(snapshot.trail[-lines:]),
    )


def _draw_rollout(rollout: Rollout | None) -> RenderableType:
    if rollout is None:
        return Text("no rollout has taken place yet", style="dim")
    state = views.state_text(rollout.outcome or rollout.phase)
    reason = f"  {rollout.reason}" if rollout.reason else ""
    return Text.assemble((f"rollout {rollout.id}", "bold"), f"  {rollout.version} on {rollout.slot}  ", state, reason)


def status(context: Context) -> int:
    """Show the endpoint now."""
    snapshot = take_snapshot(context)
    context.show(snapshot, draw(snapshot, lines=3))
    return 0


def history(context: Context, rollout: str | None) -> int:
    """List the rollouts, or one rollout's audit trail."""
    known = rollouts.summaries(context.aws, context.endpoint)
    if rollout is None:
        context.show(known, views.rollouts_table(known))
        return 0
    if rollout not in {each.id for each in known}:
        raise UsageError(
            f"{context.endpoint.name} has had no rollout {rollout!r}", "list them: python -m tidegate history"
        )
    trail = rollouts.audit(context.aws, context.endpoint, rollout)
    context.show(trail, views.audit_lines(trail))
    return 0


def watch(context: Context, *, until_idle: bool, sleep: Callable[[float], None] = time.sleep) -> int:
    """Redraw the endpoint every second; without a terminal, or as JSON, write what is new."""
    snapshots = _snapshots(context, until_idle, sleep)
    if context.json or not context.console.is_terminal:
        _follow(context, snapshots)
        return 0
    with LiveDisplay(console=context.console, auto_refresh=False) as display:
        for snapshot in snapshots:
            display.update(draw(snapshot), refresh=True)
    return 0


def _snapshots(context: Context, until_idle: bool, sleep: Callable[[float], None]) -> Iterator[Snapshot]:
    while True:
        snapshot = take_snapshot(context)
        yield snapshot
        if until_idle and snapshot.idle:
            return
        sleep(REDRAW_SECONDS)


def _follow(context: Context, snapshots: Iterator[Snapshot]) -> None:
    seen: set[str] = set()
    for snapshot in snapshots:
        for entry in snapshot.trail:
            if entry.key not in seen:
                seen.add(entry.key)
                context.show(entry, views.audit_line(entry))
