"""The chart as a file of its own, for a README: ``python -m tidegate.demo.picture build/demo docs/rollout.svg``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tidegate import svg
from tidegate.demo import report as reports
from tidegate.demo.chart import WIDTH, Chart
from tidegate.demo.report import Dot

DESCRIPTION = (
    "Share of the traffic, error rate, right answers and latency of each model version over time, with the events"
)


def chart_svg(report: Mapping[str, Any], dots: Sequence[Dot]) -> str:
    """Return the chart for a page that brings the style."""
    chart = Chart(report, dots)
    return svg.inline(chart.draw(), (WIDTH, chart.height), DESCRIPTION)


def standalone_svg(report: Mapping[str, Any], dots: Sequence[Dot]) -> str:
    """Return the chart as a file of its own."""
    chart = Chart(report, dots)
    return svg.card(chart.draw(), (WIDTH, chart.height), DESCRIPTION, svg.style_sheet())


def main(argv: Sequence[str]) -> int:
    """Draw the picture of a run that has been made."""
    parser = argparse.ArgumentParser(prog="python -m tidegate.demo.picture", description=main.__doc__)
    parser.add_argument("run", type=Path, help="folder of the run (build/demo)")
    parser.add_argument("picture", type=Path, help="file to write (docs/rollout.svg)")
    arguments = parser.parse_args(argv)
    write(arguments.run, arguments.picture)
    return 0


def write(run: Path, picture: Path) -> None:
    """Draw the run in a folder to a file."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(standalone_svg(reports.read_report(run), reports.read_dots(run)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
