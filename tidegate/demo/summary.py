"""What is printed at the end of the demo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate import views
from tidegate.demo import wording
from tidegate.demo.chart import clock


def print_summary(console: Console, report: Mapping[str, Any]) -> None:
    """Show what the report says, in short."""
    parts = (_rollouts(report), _judge(report), _traffic(report), _checks(report))
    console.print(Group(*(piece for part in parts for piece in (part, Text("")))), end="")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 else "right", overflow="fold")
    return table


def _rollouts(report: Mapping[str, Any]) -> RenderableType:
    table = _table("rollout", "outcome", "weights seen", "requests", "failed", "answered by it", "shut off in")
    for rollout in report["rollouts"]:
        weights = " ".join(f"{weight:g}" for _, weight in rollout["weights"])
        failed = wording.failed(rollout["failed_requests"], rollout["canary_failed_on_purpose"])
        numbers = (f"{rollout['requests']:,}", failed, f"{rollout['canary_requests']:,}")
        seconds = rollout["to_zero_seconds"]
        took = "" if seconds is None else f"{seconds:.2f} s"
        table.add_row(rollout["version"], views.state_text(rollout["outcome"]), weights, *numbers, took)
    return table


def _judge(report: Mapping[str, Any]) -> RenderableType:
    lines = [Text("what the judge said of them, by the engine's audit trail", style="dim")]
    for at, version, sentence in wording.about_the_judge(report):
        lines.append(Text.assemble((clock(at), "dim"), f"  {version}  {sentence}"))
    return Group(*lines)


def _traffic(report: Mapping[str, Any]) -> RenderableType:
    table = _table("version", "requests", "failed", "p50", "p99", "right about the rain")
    for version, figures in report["traffic"]["by_version"].items():
        right = "" if figures["right_share"] is None else f"{figures['right_share']:.1%}"
        counts = (f"{figures['requests']:,}", wording.failed(figures["failed"], figures["failed_on_purpose"]))
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
