"""The tables on screen."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table

from bench.machine import Machine
from bench.serving.goals import Goal
from bench.serving.matrix import Findings
from bench.serving.rows import Bound, Missing, Row
from bench.serving.servers import CONTAINER

BUSY = 0.9
"""From this share of its core on, the generator may be what is measured."""


def show(console: Console, findings: Findings, goals: Sequence[Goal], machine: Machine, seconds: float) -> None:
    """Print everything."""
    cells, limits, judged = _cells(findings.rows), _limits(findings.bounds), _goals(goals)
    for table in (cells, limits, judged):
        table.title = f"{table.title}{mark(findings)}"
    console.print(cells)
    console.print(limits)
    if findings.missing:
        console.print(_missing(findings.missing))
    console.print(judged)
    for note in notes(findings, machine, seconds):
        console.print(note, soft_wrap=not console.is_terminal)


def mark(findings: Findings) -> str:
    """Return what a title ends with: nothing, if the goals can be judged by these numbers."""
    return " (indicative: short, not for the goals)" if findings.is_indicative else ""


def notes(findings: Findings, machine: Machine, seconds: float) -> list[str]:
    """Return how far the numbers can be trusted."""
    lines = [
        f"{seconds / 60:.0f} min on {machine.cores} cores: each server with all its processes on one, the load "
        "generator on another; one row a request, closed loop, servers in turns and stopped between them, medians of "
        "rounds.",
        "Memory is resident pages added up over a server's processes; what they share counts in each.",
        "p99 is not judged for the tiny model, whose batch takes no time.",
    ]
    limited = sorted({row.server for row in findings.rows if row.generator_busy >= BUSY})
    if limited:
        lines.append(f"The load generator was the limit (!) in some cells of {', '.join(limited)}.")
    if machine.busy:
        lines.append(f"The machine was busy before the run began (load {machine.load_before:.1f}).")
    return lines


def _cells(rows: Sequence[Row]) -> Table:
    table = Table(title="One core for each server", title_justify="left")
    table.add_column("server", no_wrap=True)
    headings = ("requests/s", "of raw", "ours is", "p50 ms", "p99 ms", "CPU s/1000", "cold s", "MB", "generator")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    ordered = sorted(rows, key=lambda row: (row.model, row.format, row.clients, -row.rps))
    for (model, format_, clients), members in groupby(ordered, key=lambda row: (row.model, row.format, row.clients)):
        cell = list(members)
        ours = next((row.rps for row in cell if row.server == CONTAINER), None)
        table.add_section()
        table.add_row(f"[italic]{model}, {format_}, {clients} client{'s' if clients > 1 else ''}[/italic]")
        for row in cell:
            table.add_row(*_line(row, ours), style="bold" if row.server == CONTAINER else None)
    return table


def _line(row: Row, ours: float | None) -> list[str]:
    times = f"{ours / row.rps:.2f} x" if ours is not None and row.server != CONTAINER else ""
    busy = f"{row.generator_busy:.0%}{' !' if row.generator_busy >= BUSY else ''}" if row.generator_busy else ""
    share = f"{row.ratio_to_raw:.3f}" if row.ratio_to_raw >= 0.001 else f"{row.ratio_to_raw:.1e}"
    numbers = [f"{row.rps:,.0f}", share, times, f"{row.p50_ms:.2f}", f"{row.p99_ms:.2f}", f"{row.cpu_s_per_1000:.3f}"]
    return [row.server, *numbers, f"{row.cold_s:.2f}", f"{row.rss_mb:.0f}", busy]


def _limits(bounds: Mapping[str, Bound]) -> Table:
    table = Table(title="The models alone", title_justify="left")
    for heading in ("model", "best batch", "ms a batch", "ms for one row", "rows/s", "load s"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for model, bound in bounds.items():
        times = (f"{bound.batch_s * 1e3:.3f}", f"{bound.single_s * 1e3:.3f}")
        table.add_row(model, str(bound.best_batch), *times, f"{bound.rps:,.0f}", f"{bound.load_s:.3f}")
    return table


def _missing(missing: Sequence[Missing]) -> Table:
    table = Table(title="Not measured", title_justify="left")
    for heading in ("server", "where", "why"):
        table.add_column(heading)
    for each in missing:
        clients = f", {each.clients} clients" if each.clients else ""
        table.add_row(each.server, f"{each.model}, {each.format}{clients}", each.reason)
    return table


def _goals(goals: Sequence[Goal]) -> Table:
    passed = sum(goal.passed is True for goal in goals)
    table = Table(title=f"Goals: {passed} of {len(goals)} met", title_justify="left")
    for heading in ("goal", "where", "wanted", "got", ""):
        table.add_column(heading, justify="right" if heading in ("wanted", "got") else "left")
    for goal in sorted(goals, key=lambda each: (each.name, each.cell)):
        verdict = "[green]pass[/green]" if goal.passed else "[red]miss[/red]"
        table.add_row(goal.name, goal.cell, goal.wanted, goal.got, verdict)
    return table
