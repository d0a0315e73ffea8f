"""The drift engine beside what others use: ``python -m bench.drift [--quick]``."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench import machine
from bench.drift import against_peers, alarms, estimates, function, of_captures, report
from bench.drift.measurement import Measurement
from bench.errors import BenchError
from bench.progress import ProgressLine
from stacks.config import ROOT

OUTPUT = ROOT / "build" / "bench"
PAGE = ROOT / "docs" / "drift-speed.md"
ROUNDS = 3
PIPED_WIDTH = 150


def main() -> int:
    """Measure, print and save; the status is 1 when a goal was missed."""
    options = _parser().parse_args()
    fixed = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(width=None if fixed else PIPED_WIDTH, highlight=False)
    there = machine.look()
    rounds = 1 if options.quick else options.rounds
    with ProgressLine(console) as progress:
        parts: dict[str, Callable[[], Measurement]] = {
            "table": lambda: against_peers.measure(options.quick, rounds, progress.tell),
            "captures": lambda: of_captures.measure(options.quick, rounds, progress.tell),
            "function": lambda: function.measure(options.quick, progress.tell),
            "estimates": lambda: estimates.measure(progress.tell),
            "alarms": lambda: alarms.measure(options.quick, progress.tell),
        }
        try:
            found = [measure() for name, measure in parts.items() if not options.only or name in options.only]
        except BenchError as error:
            console.print(Text(str(error), style="red"), soft_wrap=True)
            return 1
    report.show(console, found)
    options.output.mkdir(parents=True, exist_ok=True)
    report.save(options.output / "drift.json", found, there, progress.seconds)
    if not options.quick and not options.only:
        PAGE.write_text(report.page(found, there, progress.seconds, rounds), encoding="utf-8")
    return 0 if all(goal.met for part in found for goal in part.goals) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.drift", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows, one round: too little for the goals")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="of programs in turns (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=["table", "captures", "function", "estimates", "alarms"])
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FOLDER")
    return parser


if __name__ == "__main__":
    sys.exit(main())
