"""Measure what matters as ratios, in one run: ``python -m bench``."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench import (
    alarm_to_weights,
    cold_start,
    invoke_latency,
    machine,
    many_endpoints,
    react_overhead,
)
from bench.cloud import running_cloud
from bench.comparison import Comparison
from bench.errors import BenchError
from bench.load import LoadGenerator
from bench.progress import ProgressLine
from bench.report import Finding, Report
from bench.rounds import Tell
from bench.serving import short
from stacks.config import ROOT

OUTPUT = ROOT / "build" / "bench" / "bench.json"
PIPED_WIDTH = 130
ELSEWHERE = "The front door is measured by itself: make bench-front-door (docs/front-door-speed.md)."


def main() -> int:
    """Measure, print and save; the status is 1 when a declared limit was passed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FILE")
    output = parser.parse_args().output
    output.parent.mkdir(parents=True, exist_ok=True)
    fixed = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(width=None if fixed else PIPED_WIDTH, highlight=False)
    try:
        report = _run(console)
    except BenchError as error:
        console.print(Text(str(error), style="red"), soft_wrap=True)
        return 1
    report.save(output)
    report.show(console)
    console.print(f"Saved as {output}", soft_wrap=True)
    console.print(ELSEWHERE, soft_wrap=True)
    return _judge(report, console)


def _judge(report: Report, console: Console) -> int:
    """Return 1 when a declared limit was passed, and say which."""
    for passed in report.over:
        console.print(Text(f"over its limit: {passed}", style="red"), soft_wrap=True)
    return int(bool(report.over))


def _run(console: Console) -> Report:
    there, load = machine.look(), LoadGenerator()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, ProgressLine(console) as progress:
        comparisons, findings = _measure(Path(scratch), load, progress.tell)
        findings["many_endpoints"] = many_endpoints.measure(progress.tell)
    return Report(comparisons, progress.seconds, there, load.busiest, findings)


def _measure(folder: Path, load: LoadGenerator, tell: Tell) -> tuple[list[Comparison], dict[str, Finding]]:
    # Before there is a cloud, so that nothing else of ours runs beside the servers.
    serving = short.measure(folder, load, tell)
    with running_cloud(folder, tell) as cloud:
        comparisons = [
            *serving,
            *invoke_latency.measure(cloud, folder, tell),
            *react_overhead.measure(cloud, tell),
            *cold_start.measure(cloud, folder, tell),
        ]
        # The last, because it leaves nothing but alarms' events running.
        return comparisons, {"alarm_to_weights": alarm_to_weights.measure(cloud, tell)}


if __name__ == "__main__":
    sys.exit(main())
