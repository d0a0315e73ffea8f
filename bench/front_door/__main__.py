"""The front door under load, its starts, its cache and its breaker: ``python -m bench.front_door [--quick]``."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench import machine
from bench.drift.measurement import Measurement
from bench.drift.report import save, show
from bench.errors import BenchError
from bench.front_door import batches, caching, cold_start, dead, report, rollouts, starts, turns
from bench.front_door.place import Place, place
from bench.progress import ProgressLine
from bench.rounds import Tell
from stacks.config import ROOT
from tidegate.errors import OperatorError

OUTPUT = ROOT / "build" / "bench"
PAGE = ROOT / "docs" / "front-door-speed.md"
PARTS = ("rollouts", "turns", "starts", "cache", "dead", "imports", "batch")
PIPED_WIDTH = 160
_QUICK_IMPORTS = 5

Busiest = list[float]


def main() -> int:
    """Measure, print and save; the status is 1 when a goal was missed."""
    options = _parser().parse_args()
    fixed = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(width=None if fixed else PIPED_WIDTH, highlight=False)
    there, busiest = machine.look(), [os.getloadavg()[0]]
    with ProgressLine(console) as progress:
        try:
            found, failed = _measure(options, progress.tell, busiest)
        except (BenchError, OperatorError) as error:
            console.print(Text(str(error), style="red"), soft_wrap=True)
            return 1
    show(console, found)
    for why in failed:
        console.print(Text(why, style="red"), soft_wrap=True)
    console.print(f"load: {there.load_before:.1f} before, {max(busiest):.1f} at most")
    options.output.mkdir(parents=True, exist_ok=True)
    save(options.output / "front_door.json", found, there, progress.seconds)
    if not options.quick and not options.only and not failed:
        PAGE.write_text(report.page(found, there, progress.seconds, max(busiest)), encoding="utf-8")
    return 0 if not failed and all(goal.met for part in found for goal in part.goals) else 1


def _measure(options: argparse.Namespace, tell: Tell, busiest: Busiest) -> tuple[list[Measurement], list[str]]:
    """Return what was found, and what could not be measured: a part that fails does not take the others with it."""
    wanted, failed = set(options.only or PARTS), list[str]()

    def look(what: str) -> None:
        busiest.append(os.getloadavg()[0])
        tell(what)

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        found = _of_the_place(Path(folder), options.quick, wanted, look, failed)
        if "imports" in wanted:
            rounds = _QUICK_IMPORTS if options.quick else cold_start.ROUNDS
            found.append(starts.imports(cold_start.measure(Path(folder), look, rounds)))
    if "batch" in wanted and (batch := _tried(lambda: batches.measure(options.quick, look), failed)):
        found.append(batch)
    return found, failed


def _tried(measure: Callable[[], Measurement], failed: list[str]) -> Measurement | None:
    try:
        return measure()
    except BenchError as error:
        failed.append(str(error))
        return None


def _of_the_place(folder: Path, quick: bool, wanted: set[str], tell: Tell, failed: list[str]) -> list[Measurement]:
    parts: dict[str, Callable[[Place], Measurement]] = {
        "rollouts": lambda here: rollouts.measure(here, quick, tell),
        "turns": lambda here: turns.measure(here, quick, tell),
        "cache": lambda here: caching.measure(here, quick, tell),
        "starts": lambda here: starts.measure(here, quick, tell),
        "dead": lambda here: dead.measure(here, tell),
    }
    chosen = [measure for name, measure in parts.items() if name in wanted]
    if not chosen:
        return []
    with place(folder, quick, tell) as here:
        return [found for measure in chosen if (found := _tried(partial(measure, here), failed))]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.front_door", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short steps, few rounds: too little for the goals")
    parser.add_argument("--only", nargs="+", choices=PARTS)
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FOLDER")
    return parser


if __name__ == "__main__":
    sys.exit(main())
