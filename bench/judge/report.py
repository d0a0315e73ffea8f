"""What a run has found: tables to read, and a file to keep."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.judge.cases import Case
from bench.judge.costs import Costs
from bench.judge.goals import Goal
from bench.judge.runs import JUDGE, METHODS, Outcome
from bench.machine import Machine

Outcomes = Mapping[str, Mapping[str, Outcome]]

NOTES = (
    "A version that is as good and is rolled back is a false alarm; every method is asked until it rolls back, for an "
    "hour, also past the point where the judge would have promoted.",
    "Unless said otherwise: 100 requests/s, 5 % of them to the new version, a look a minute, 60 looks. Noise is drawn "
    "anew each minute for each version, so that nothing of it is shared.",
    "Latencies are lognormal (sigma 0.5); slow is above the live version's 99th percentile, so that a tail 1.2 times "
    "as long makes 2.5 times as many slow answers.",
    "Peers: chi-square of the sums and Mann-Whitney of the minutes, one-sided at 5 %; Kayenta in its standard settings "
    "(98 %, tolerance 0.25); an alarm at 5 % errors, or at 1.5 times the live p99, in 2 of 3 periods.",
)


def show(console: Console, cases: Sequence[Case], outcomes: Outcomes, goals: Sequence[Goal]) -> None:
    """Print everything."""
    console.print(_table("False alarms: share of good versions rolled back", cases, outcomes, bad=False))
    console.print(_table("Bad versions rolled back, and the median of minutes until then", cases, outcomes, bad=True))
    console.print(_promoted(cases, outcomes))
    console.print(_goals(goals))
    for note in NOTES:
        console.print(note, soft_wrap=not console.is_terminal)


def save(
    path: Path, cases: Sequence[Case], outcomes: Outcomes, goals: Sequence[Goal], costs: Costs, machine: Machine
) -> None:
    """Write everything as JSON."""
    content = {
        "machine": asdict(machine),
        "notes": NOTES,
        "goals": [asdict(goal) for goal in goals],
        "costs": asdict(costs),
        "cases": [{**asdict(case), "methods": _plain(outcomes[case.name])} for case in cases],
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _plain(methods: Mapping[str, Outcome]) -> dict[str, dict[str, object]]:
    return {
        name: {
            "runs": len(outcome.minutes),
            "rolled_back": outcome.share,
            "minutes": {each: outcome.found.count(each) for each in dict.fromkeys(outcome.found)},
            "promoted": sum(map(bool, outcome.promoted)) / len(outcome.minutes),
            "promoted_median_minutes": median(filter(None, outcome.promoted)) if any(outcome.promoted) else None,
        }
        for name, outcome in methods.items()
    }


def _table(title: str, cases: Sequence[Case], outcomes: Outcomes, *, bad: bool) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for method in METHODS:
        table.add_column(method, justify="right", style="bold" if method == JUDGE else None)
    for case in cases:
        if case.bad is bad:
            methods = outcomes[case.name]
            table.add_row(case.name, *(_cell(methods[method], bad=bad) for method in METHODS))
    return table


def _cell(outcome: Outcome, *, bad: bool) -> str:
    if not bad:
        return f"{outcome.share:.1%}"
    return f"{outcome.share:.1%}, {median(outcome.found):.0f} min" if outcome.found else "never"


def _promoted(cases: Sequence[Case], outcomes: Outcomes) -> Table:
    table = Table(title="Promoted by the judge (the others pass whatever they do not fail)", title_justify="left")
    for heading in ("", "promoted", "median of minutes"):
        table.add_column(heading, justify="right" if heading else "left")
    for case in cases:
        promoted = outcomes[case.name][JUDGE].promoted
        when = [each for each in promoted if each]
        table.add_row(case.name, f"{len(when) / len(promoted):.1%}", f"{median(when):.0f}" if when else "")
    return table


def _goals(goals: Sequence[Goal]) -> Table:
    met = sum(goal.met for goal in goals)
    table = Table(title=f"Goals: {met} of {len(goals)} met", title_justify="left")
    for heading in ("where", "wanted", "got", ""):
        table.add_column(heading, justify="right" if heading in ("wanted", "got") else "left")
    for goal in goals:
        table.add_row(goal.where, goal.wanted, goal.got, "[green]met[/green]" if goal.met else "[red]missed[/red]")
    return table
