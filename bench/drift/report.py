"""What a run has found: on the console, as JSON, and as the page of the documentation."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.drift.measurement import Measurement
from bench.machine import Machine

INTRODUCTION = """# What finding drift costs

```
make bench-drift                          # all of this page's numbers, in one run; writes this page
make bench-drift BENCH_ARGS=--quick       # a twentieth of the rows: indicative, not for the goals
```

CPU seconds are those of whole processes, user and system, from the start of the interpreter to its end, with one
thread a library. Programs take turns in rounds; what counts is the median of each round's ratio. Peers have an
environment of their own from a lock (`bench/drift/peers`).
"""

HOW = """## How the engine counts

The careful path (`lambdas/monitoring/capture`, the standard library alone) reads a line at a time, and is what a
count *means*. The engine (`model_containers/monitoring`) gives the same counts; a property test compares the two on
generated files, dirty ones among them.

- A file is read in blocks of 8 MiB. One line of a kind is parsed; others whose structure is byte for byte the same
  are cut apart at the same places and need no parser. A block in which any line is not so, or not plain, is parsed
  line by line.
- Bodies of a block are decoded and read as one CSV file. What Polars would read otherwise than the careful path
  (quotes, spaces, blank lines, rows that are too short, `-nan`) makes the batch *not clean*: it is halved until at
  most 16 lines are left, and those are counted carefully. So one bad line in a block costs a few parses more, and is
  named as ever.
- Numbers are put into bins by a uniform grid of 4,096 cells with at most one comparison a number, nearly always:
  exact, about 8 ns a number, where bisection takes 40 and sorting 25 to 50.
- Nothing grows with the window but its labels (about 150 bytes a request), which are held to be joined.

JSON Lines bodies, CSV with a header or in quotes, and `NA` or `null` for a missing number are right, but slow: they
always take the careful path.
"""


def show(console: Console, found: Sequence[Measurement]) -> None:
    """Print everything."""
    for part in found:
        table = Table(title=part.title, title_justify="left")
        for name in part.head:
            table.add_column(name)
        for row in part.rows:
            table.add_row(*row)
        console.print(table)
        for note in part.notes:
            console.print(note, soft_wrap=True)
        for goal in part.goals:
            style = "green" if goal.met else "red"
            because = f" ({goal.why})" if goal.why else ""
            console.print(
                f"[{style}]{goal.verdict:>6}[/]  {goal.name}: {goal.wanted}; {goal.got}{because}", soft_wrap=True
            )


def save(path: Path, found: Sequence[Measurement], machine: Machine, seconds: float) -> None:
    """Write everything as JSON."""
    content = {"seconds": seconds, "machine": asdict(machine), "measurements": [asdict(part) for part in found]}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def page(found: Sequence[Measurement], machine: Machine, seconds: float, rounds: int) -> str:
    """Return the page of the documentation."""
    goals = [goal for part in found for goal in part.goals]
    met = sum(goal.met for goal in goals)
    circumstances = (
        f"One run: {rounds} rounds on {machine.cores} shared cores, {seconds / 60:.0f} minutes, load "
        f"{machine.load_before:.1f} before it; {met} of {len(goals)} goals met."
    )
    rows = [[g.name, g.wanted, g.got, f"**missed**: {g.why}" if not g.met else "met"] for g in goals]
    parts = [INTRODUCTION, "## Goals\n", circumstances + "\n", markdown(["goal", "wanted", "got", ""], rows)]
    for part in found:
        parts += [f"## {part.title}\n", markdown(part.head, part.rows), *(f"{note}\n" for note in part.notes)]
    return "\n".join([*parts, HOW])


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
