"""The judge beside what others use: ``python -m bench.judge [--quick]``."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.text import Text

from bench import machine
from bench.errors import BenchError
from bench.judge import costs, goals, plot, report
from bench.judge.cases import CASES, Case
from bench.judge.runs import JUDGE, simulate
from bench.progress import ProgressLine
from stacks.config import ROOT

OUTPUT = ROOT / "build" / "bench"
RUNS, QUICK_RUNS = 2000, 100
PIPED_WIDTH = 150
SEED = 5


def main() -> int:
    """Simulate, print and save; the status is 1 when a goal was missed."""
    options = _parser().parse_args()
    fixed = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(width=None if fixed else PIPED_WIDTH, highlight=False)
    there = machine.look()
    try:
        cases = _chosen(options.cases)
    except BenchError as error:
        console.print(Text(str(error), style="red"), soft_wrap=True)
        return 1
    cost = costs.measure(np.random.default_rng(SEED))
    with ProgressLine(console) as progress:
        outcomes = simulate(cases, QUICK_RUNS if options.quick else options.runs, options.processes, progress.tell)
    judged = goals.reached(cases, {name: methods[JUDGE] for name, methods in outcomes.items()}, cost)
    report.show(console, cases, outcomes, judged)
    options.output.mkdir(parents=True, exist_ok=True)
    report.save(options.output / "judge.json", cases, outcomes, judged, cost, there)
    (options.output / "judge-false-alarms.svg").write_text(plot.false_alarms(cases, outcomes), encoding="utf-8")
    (options.output / "judge-found.svg").write_text(plot.found(cases, outcomes), encoding="utf-8")
    saved = f"judge.json, judge-false-alarms.svg and judge-found.svg in {options.output}"
    console.print(f"{progress.seconds:.0f} s. Saved as {saved}", soft_wrap=True)
    return 0 if all(goal.met for goal in judged) else 1


def _chosen(wanted: Sequence[str] | None) -> Sequence[Case]:
    """Return the cases in whose names one of the words is."""
    chosen = [case for case in CASES if not wanted or any(word in case.name for word in wanted)]
    if not chosen:
        raise BenchError(f"no case is called {wanted}; there are {', '.join(case.name for case in CASES)}")
    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.judge", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} runs of each case: too few for the goals")
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help="of each case (default: %(default)s)")
    parser.add_argument("--cases", nargs="+", metavar="WORD", help="only those in whose names it is")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FOLDER")
    return parser


if __name__ == "__main__":
    sys.exit(main())
