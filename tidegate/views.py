"""What commands show: the same facts as a table for people, or as JSON for programs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

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


def print_json(console: Console, value: Any, *, line: bool = False) -> None:
    """Write `value` as JSON, unwrapped and uncoloured so that a program can read it; as one line if asked to."""
    text = json.dumps(value, indent=None if line else 2, default=_json, ensure_ascii=False)
    console.print(text, soft_wrap=True, markup=False, highlight=False)


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


def moment(at: float, now: float) -> str:
    """Return a time to come as this machine's wall clock shows it, and how far off it is."""
    there, here = (datetime.fromtimestamp(each).astimezone() for each in (at, now))
    shown = f"{there:%H:%M:%S}" if there.date() == here.date() else f"{there:%a %Y-%m-%d %H:%M}"
    return f"{shown} (in {duration(at - now)})" if at > now else f"{shown} (passed)"


def since(at: float, now: float) -> str:
    """Return for how long something has been."""
    return f"for {duration(max(0.0, now - at))}"


def ago(at: str, now: float) -> str:
    """Return how long ago an ISO time was; empty for none."""
    return f"{duration(max(0.0, now - datetime.fromisoformat(at).timestamp()))} ago" if at else ""


def duration(seconds: float) -> str:
    """Return a duration with its two largest units."""
    days, rest = divmod(math.ceil(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{value} {unit}" for value, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")) if value]
    return " ".join(parts[:2]) or "0 s"


def count(number: int, thing: str) -> str:
    """Return how many of a thing there are."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def bar(share: float, cells: int = BAR_CELLS) -> str:
    """Return a bar for a share from 0 to 1; a share above nothing is never shown as nothing."""
    filled = round(share * cells)
    if share > 0:
        filled = max(filled, 1)
    return "█" * filled + "░" * (cells - filled)


def empty_table(*columns: str, title: str = "") -> Table:
    """Return a table in the form that all of them have, without rows."""
    table = Table(box=None, pad_edge=False, header_style="dim", title=title or None, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def packages_table(packages: Sequence[Package], serving: Sequence[str]) -> RenderableType:
    """Show registered versions; `serving` are the versions that variants run now."""
    table = empty_table("version", "package", "approval", "registered", "on the endpoint")
    for package in packages:
        live = Text("serving", style="green") if package.version in serving else Text("")
        registered = clock(package.created_at.isoformat())
        table.add_row(package.version, str(package.number), state_text(package.approval), registered, live)
    return table if packages else Text("no version is registered yet")


def endpoints_table(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Show endpoints, a line each (rows as `documents.row` makes them)."""
    table = empty_table("endpoint", "status", "live", "rollout", "phase", "step", "weights", "waits for", "frozen")
    for column in table.columns[:-2]:
        column.no_wrap = True
    for row in rows:
        table.add_row(*_endpoint_cells(row))
    return table


def _endpoint_cells(row: Mapping[str, Any]) -> list[str | Text]:
    if row["error"]:
        return [row["endpoint"], Text("?", style="red"), "", "", "", "", "", Text(row["error"], style="red")]
    step = f"{row['step']}/{row['steps']}" if row["step"] else ""
    weights = "  ".join(f"{name} {weight:g}" for name, weight in row["weights"].items())
    frozen = Text(f"by {row['frozen']['by']}", style="yellow") if row["frozen"] else ""
    status, phase = state_text(row["status"]), state_text(row["phase"] or "")
    new, waits = row["new_version"] or "", row["waits_for"] or ""
    return [row["endpoint"], status, row["live_version"] or "?", new, phase, step, weights, waits, frozen]


def rollouts_table(rollouts: Sequence[Rollout]) -> RenderableType:
    """Show rollouts with what became of them."""
    table = empty_table("rollout", "kind", "version", "slot", "started", "took", "outcome", "reason")
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


def audit_table(entries: Sequence[AuditEntry]) -> RenderableType:
    """Show the audit trail: when, who, in which rollout and phase, and what."""
    table = empty_table("when", "who", "rollout", "phase", "what")
    for column in table.columns[:-1]:
        column.no_wrap = True
    for entry in entries:
        table.add_row(clock(entry.at), entry.by or "engine", entry.rollout, Text(entry.phase, style="cyan"), entry.text)
    return table if entries else Text("nothing has happened yet")


def answers_table(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Show what became of a command that was given to several endpoints (rows as `documents.answer` makes them)."""
    table = empty_table("endpoint", "answer", "text")
    for row in rows:
        said = {True: "accepted", False: "refused", None: "no answer"}[row["accepted"]]
        style = {True: "green", False: "yellow", None: "red"}[row["accepted"]]
        table.add_row(row["endpoint"], Text(said, style=style), row["text"] or row["error"])
    return table


def audit_lines(entries: Sequence[AuditEntry]) -> RenderableType:
    """Show audit entries, the times in line and long texts under themselves."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for style in ("dim", "cyan", ""):
        grid.add_column(style=style, overflow="fold", no_wrap=bool(style))
    for entry in entries:
        grid.add_row(clock(entry.at)[11:], entry.phase, Text(entry.text))
    return grid


def stacks_table(stacks: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    """Show deployed stacks."""
    table = empty_table("stack", "status", "resources")
    for name, stack in stacks.items():
        table.add_row(name, state_text(str(stack.get("status", ""))), str(len(stack.get("resources", ()))))
    return table if stacks else Text("nothing is deployed")
