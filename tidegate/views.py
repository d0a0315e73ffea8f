"""What commands show: the same facts as a table for people, or as JSON for programs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate.live import Alarm, Live
from tidegate.registry import Package
from tidegate.rollouts import AuditEntry, Rollout

STATE_STYLES = {
    "Approved": "green",
    "Rejected": "red",
    "PendingManualApproval": "yellow",
    "InService": "green",
    "Updating": "yellow",
    "OK": "green",
    "ALARM": "bold red",
    "INSUFFICIENT_DATA": "dim",
    "PROMOTED": "green",
    "ROLLED_BACK": "red",
}
BAR_CELLS = 24


def print_json(console: Console, value: Any) -> None:
    """Write `value` as JSON, unwrapped and uncoloured so that a program can read it."""
    console.print(
        json.dumps(value, indent=2, default=_json, ensure_ascii=False), soft_wrap=True, markup=False, highlight=False
    )


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def state_text(state: str) -> Text:
    """Return a state's name in the colour that it always has."""
    return Text(state, style=STATE_STYLES.get(state, ""))


def clock(at: str) -> str:
    """Return an ISO time as this machine's wall clock shows it."""
    if not at:
        return ""
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M:%S}"


def bar(share: float, cells: int = BAR_CELLS) -> str:
    """Return a bar for a share from 0 to 1; a share above nothing is never shown as nothing."""
    filled = round(share * cells)
    if share > 0:
        filled = max(filled, 1)
    return "█" * filled + "░" * (cells - filled)


def _table(*columns: str, title: str = "") -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", title=title or None, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def packages_table(packages: Sequence[Package], serving: Sequence[str]) -> RenderableType:
    """Show registered versions; `serving` are the versions that variants run now."""
    table = _table("version", "package", "approval", "registered", "on the endpoint")
    for package in packages:
        live = Text("serving", style="green") if package.version in serving else Text("")
        registered = clock(package.created_at.isoformat())
        table.add_row(package.version, str(package.number), state_text(package.approval), registered, live)
    return table if packages else Text("no version is registered yet")


def endpoint_view(live: Live, versions: dict[str, str]) -> RenderableType:
    """Show an endpoint's variants with their versions and shares of the traffic."""
    table = _table("variant", "version", "traffic", "", "instances")
    total = sum(variant.weight for variant in live.variants) or 1.0
    for variant in live.variants:
        share = variant.weight / total
        moving = "" if variant.weight == variant.desired_weight else f" -> {variant.desired_weight:g}"
        instances = f"{variant.instances}/{variant.desired_instances}"
        version = versions.get(variant.name, "?")
        table.add_row(variant.name, version, bar(share), f"{share:.0%}{moving}", instances)
    headline = Text.assemble((live.name, "bold"), "  ", state_text(live.status), f"  {live.config}")
    parts: list[RenderableType] = [headline, table]
    if live.failure:
        parts.append(Text(f"last failure: {live.failure}", style="red"))
    return Group(*parts)


def alarms_table(alarms: Sequence[Alarm]) -> RenderableType:
    """Show the slots' alarms."""
    table = _table("alarm", "state", "reason")
    for alarm in alarms:
        reason = alarm.reason if alarm.state == "ALARM" else ""
        table.add_row(alarm.name, state_text(alarm.state), Text(reason, style="dim"))
    return table


def rollouts_table(rollouts: Sequence[Rollout]) -> RenderableType:
    """Show rollouts with what became of them."""
    table = _table("rollout", "kind", "version", "slot", "started", "took", "outcome", "reason")
    for column in table.columns[:-1]:
        column.no_wrap = True
    for rollout in rollouts:
        outcome = state_text(rollout.outcome or rollout.phase)
        times = (clock(rollout.started_at), _took(rollout))
        table.add_row(rollout.id, rollout.kind, rollout.version, rollout.slot, *times, outcome, rollout.reason)
    return table if rollouts else Text("no rollout has taken place yet")


def _took(rollout: Rollout) -> str:
    if not rollout.ended_at:
        return ""
    took = datetime.fromisoformat(rollout.ended_at) - datetime.fromisoformat(rollout.started_at)
    return f"{took.total_seconds():.0f} s"


def audit_line(entry: AuditEntry) -> Text:
    """Return one audit entry as a line."""
    return Text.assemble((clock(entry.at)[11:], "dim"), "  ", (f"{entry.phase:<13}", "cyan"), entry.text)


def audit_lines(entries: Sequence[AuditEntry]) -> RenderableType:
    """Show audit entries, a line each."""
    return Group(*(audit_line(entry) for entry in entries))


def stacks_table(stacks: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    """Show deployed stacks."""
    table = _table("stack", "status", "resources")
    for name, stack in stacks.items():
        table.add_row(name, state_text(str(stack.get("status", ""))), str(len(stack.get("resources", ()))))
    return table if stacks else Text("nothing is deployed")
