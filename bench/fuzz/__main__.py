"""Send the serving container inputs that are meant to break it: ``python -m bench.fuzz``."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.errors import BenchError
from bench.fuzz.run import GROWTH_BYTES, Outcome, Plan, run
from bench.progress import ProgressLine
from stacks.config import ROOT

MILLION = 1_000_000
HANG_SECONDS = 2.0
FOUND = ROOT / "build" / "fuzz"
PIPED_WIDTH = 130


def main() -> int:
    """Send, print and judge; the status is 1 when something broke."""
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=MILLION, metavar="N", help="how many (default: a million)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another one, other inputs (default: 1)")
    parser.add_argument(
        "--hang-seconds", type=float, default=HANG_SECONDS, metavar="S", help="what an answer may take (default: 2)"
    )
    given = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)
    plan, began = Plan(given.inputs, given.seed, given.hang_seconds), time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, ProgressLine(console) as line:
            outcome = run(
                plan,
                Path(folder),
                lambda inputs, slowest: line.tell(
                    f"{inputs:,} of {plan.inputs:,} inputs, {inputs / (time.monotonic() - began):,.0f} a second, "
                    f"slowest answer {slowest * 1e3:.0f} ms"
                ),
            )
    except BenchError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    _show(outcome, time.monotonic() - began, console)
    return _judge(outcome, console)


def _show(outcome: Outcome, seconds: float, console: Console) -> None:
    table = Table("inputs", "sent", "slowest", "answers")
    for kind, tally in outcome.tallies.items():
        answers = ", ".join(
            f"{status if status > 0 else 'closed'}: {n:,}" for status, n in sorted(tally.statuses.items())
        )
        table.add_row(kind, f"{tally.inputs:,}", f"{tally.slowest_seconds * 1e3:.0f} ms", answers)
    console.print(table)
    console.print(f"{outcome.inputs:,} inputs in {seconds:.0f} s: {outcome.inputs / seconds:,.0f} a second")
    for name, memory in outcome.memory.items():
        console.print(
            f"{name}: {memory.start / 1e6:.1f} MB at its start, {(memory.settled or memory.start) / 1e6:.1f} MB when "
            f"settled, {memory.end / 1e6:.1f} MB at the end (bound: {GROWTH_BYTES / 1e6:.1f} MB more than settled)"
        )


def _judge(outcome: Outcome, console: Console) -> int:
    for broken in outcome.broken:
        console.print(broken, style="red", markup=False)
    for number, failure in enumerate(outcome.failures):
        FOUND.mkdir(parents=True, exist_ok=True)
        path = FOUND / f"{number}.http"
        path.write_bytes(failure.wire)
        console.print(f"{failure.why}; sent was {path.relative_to(ROOT)}", style="red", markup=False)
    if not outcome.broken and not outcome.failures:
        console.print("No 5xx, no hang, no growth.")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
