"""The table at the end of the demo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate import views


def print_summary(console: Console, report: Mapping[str, Any]) -> None:
    """Show what the report says, in short."""
    console.print(Group(_rollouts(report), Text(""), _traffic(report), Text(""), _checks(report)))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 else "right", overflow="fold")
    return table


def _rollouts(report: Mapping[str, Any]) -> RenderableType:
    table = _table("rollout", "outcome", "weights seen", "requests", "failed", "answered by it", "alarm to zero")
    for rollout in report["rollouts"]:
        weights = " ".join(f"{weight:g}" for _, weight in rollout["weights"])
        numbers = [f"{rollout[name]:,}" for name in ("requests", "failed_requests", "canary_requests")]
        seconds = rollout["alarm_to_zero_seconds"]
        took = "" if seconds is None else f"{seconds:.2f} s"
        table.add_row(rollout["version"], views.state_text(rollout["outcome"]), weights, *numbers, took)
    return table


def _traffic(report: Mapping[str, Any]) -> RenderableType:
    table = _table("version", "requests", "failed", "p50", "p99", "right about the rain")
    for version, figures in report["traffic"]["by_version"].items():
        right = "" if figures["right_share"] is None else f"{figures['right_share']:.1%}"
        counts = (f"{figures['requests']:,}", f"{figures['failed']:,}")
        table.add_row(version, *counts, f"{figures['p50_ms']:g} ms", f"{figures['p99_ms']:g} ms", right)
    return table


def _checks(report: Mapping[str, Any]) -> RenderableType:
    return Group(
        *(
            Text.assemble(
                ("pass  ", "green") if check["passed"] else ("FAIL  ", "bold red"),
                check["name"],
                (f"  ({check['detail']})", "dim"),
            )
            for check in report["checks"]
        )
    )
