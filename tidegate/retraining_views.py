"""Retraining as text and tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate import views
from tidegate.documents import moment
from tidegate.retraining import Entry, Run
from tidegate.retraining_approvals import Waiting
from tidegate.retraining_status import Standing

OUTCOME_STYLES = {"registered": "green", "champion_stays": "cyan", "refused": "yellow", "failed": "red"}
_UNDER_WAY = "under way"
_LEAST_SHOWN = 0.0001


def status(found: Standing) -> RenderableType:
    """Show what is under way, or why nothing starts."""
    parts: list[RenderableType] = [*_under_way(found)] if found.state.run else [Text(each) for each in _waiting(found)]
    parts += [Text(""), _rules(found)]
    if found.windows:
        parts += [Text(""), _windows(found)]
    if found.last is not None:
        parts += [Text(""), Text(f"last: {found.last.text}")]
    parts += left_to_people(found.left)
    return Group(*parts)


def left_to_people(waiting: Sequence[Waiting]) -> list[RenderableType]:
    """Show what waits for a person's approval, with the command that gives it."""
    shown: list[RenderableType] = []
    for each in waiting:
        shown += [Text(""), Text(str(each), style="yellow"), Text(f"  to have it rolled out: {each.command}")]
    return shown


def _under_way(found: Standing) -> Iterator[Text]:
    run = found.state.run
    if run is None:
        return
    yield Text(f"the run {run.id} is under way ({run.status.value}) {views.since(run.decided_at, found.at)}")
    yield Text(f"because {run.reason}")
    data = f"{views.clock(moment(run.since) or '')} to {views.clock(moment(run.until) or '')}"
    yield Text(f"it is trained on {data}, and has to beat {run.champion.version}", style="dim")
    if run.execution:
        yield Text(f"execution: {run.execution}", style="dim")
    if run.problem:
        yield Text(f"it could not be started yet (try {run.attempts}): {run.problem}", style="yellow")
    if run.stopping:
        yield Text(f"it is being stopped because {run.stopping}", style="yellow")


def _waiting(found: Standing) -> Iterator[str]:
    approval = found.state.approval
    if approval is not None:
        yield f"{approval.version}, which the run {approval.run} registered, is just being approved"
    elif found.cause is None:
        yield "no run is under way, and nothing asks for one"
    elif found.against_cause is None:
        yield f"a run is about to start, because {found.cause.text}"
    else:
        yield f"no run starts though {found.cause.text}: {found.against_cause.text}"
    if found.cause is None and found.against_drift is not None:
        yield f"none would start by itself: {found.against_drift.text}"
    if found.against_operator is not None:
        yield f"an operator could start none either: {found.against_operator.text}"


def _rules(found: Standing) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in _facts(found):
        grid.add_row(name, Text(value))
    return grid


def _facts(found: Standing) -> Iterator[tuple[str, str]]:
    settings = found.settings
    if (rule := settings.on_drift) is not None:
        severe = sum(each.counts for each in found.windows)
        yield (
            "on drift",
            f"{rule.windows} of {rule.of} windows with {views.count(rule.severe_features, 'severe feature')}"
            f"{' or more' if rule.severe_features > 1 else ''}; now {severe} of {len(found.windows)}",
        )
    if settings.schedule_days is not None:
        when = views.moment(found.scheduled_at, found.at) if found.scheduled_at else "from its first look on"
        yield "on schedule", f"every {settings.schedule_days:g} days, next {when}"
    if settings.on_new_data:
        yield "on new data", "as soon as labels come after those that were trained on"
    cooling = found.cooldown_until
    until = f"until {views.moment(cooling, found.at)}" if cooling else "over"
    yield "cool-down", f"{settings.cooldown_minutes:g} minutes after a run; {until}"
    yield "budget", f"{found.month_runs} of {settings.monthly_runs} runs of this month are used"
    yield "approval", f"{settings.approval}, for a gain of {settings.least_gain_percent:g} percentage points or more"


def _windows(found: Standing) -> Table:
    table = views.empty_table("window", "severity", "severe", "features", "counts")
    for each in found.windows:
        window = each.window
        counts = Text("yes", style="red") if each.counts else Text("no", style="dim")
        table.add_row(window.id, window.severity, str(window.severe), ", ".join(window.features), counts)
    return table


def history(runs: Sequence[Run]) -> RenderableType:
    """Show runs with what became of them."""
    table = views.empty_table("run", "started", "took", "because", "outcome", "version", "numbers")
    for column in (*table.columns[1:3], *table.columns[4:6]):
        column.no_wrap = True
    for run in runs:
        outcome = Text(run.outcome.replace("_", " ") or _UNDER_WAY, style=OUTCOME_STYLES.get(run.outcome, "yellow"))
        told = in_words(run) or (run.text if run.ended else "")
        table.add_row(run.id, views.clock(run.started_at), _took(run), run.reason, outcome, run.version, told)
    return table if runs else Text("there has been no run yet")


def in_words(run: Run) -> str:
    """Return what was measured in a run as a sentence; empty when nothing was."""
    champion, challenger = (_accuracy(run.numbers.get(who)) for who in ("champion", "challenger"))
    gain, chance = run.numbers.get("gain"), run.numbers.get("p_value")
    if champion is None or challenger is None:
        return ""
    gained = f" ({100 * gain:+.1f} points" if isinstance(gain, int | float) else " ("
    by_chance = f", {_probability(chance)})" if isinstance(chance, int | float) else ")"
    rows = run.numbers.get("rows")
    on = f" on {rows:,} held-out rows" if isinstance(rows, int) and rows else ""
    against = f" of {run.champion}" if run.champion else ""
    return f"accuracy {challenger:.1%} against {champion:.1%}{against}{gained}{by_chance}{on}".replace(" ()", "")


def _probability(chance: float) -> str:
    return "p < 0.0001" if chance < _LEAST_SHOWN else f"p = {chance:.4f}"


def _accuracy(metrics: Any) -> float | None:
    value = metrics.get("accuracy") if isinstance(metrics, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def _took(run: Run) -> str:
    if not run.ended_at:
        return ""
    took = datetime.fromisoformat(run.ended_at) - datetime.fromisoformat(run.started_at)
    return views.duration(took.total_seconds())


def trail(entries: Sequence[Entry]) -> RenderableType:
    """Show the audit trail of retraining."""
    table = views.empty_table("when", "who", "run", "kind", "what")
    for column in table.columns[:-1]:
        column.no_wrap = True
    for entry in entries:
        table.add_row(views.clock(entry.at), entry.by or "controller", entry.run, entry.kind, entry.text)
    return table if entries else Text("nothing has happened yet")
