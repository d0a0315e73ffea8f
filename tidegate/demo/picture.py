"""The chart as a file of its own, for a README: ``python -m tidegate.demo.picture build/demo docs/rollout.svg``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tidegate.demo import report as reports
from tidegate.demo import svg
from tidegate.demo.chart import WIDTH, Chart
from tidegate.demo.report import Dot

ASSETS = Path(__file__).parent / "assets"
DESCRIPTION = (
    "Share of the traffic, error rate, right answers and latency of each model version over time, with the events"
)
MARGIN = 18


def chart_svg(report: Mapping[str, Any], dots: Sequence[Dot]) -> str:
    """Return the chart for a page that brings the style."""
    chart = Chart(report, dots)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {svg.number(chart.height)}" role="img" aria-label="{DESCRIPTION}">'
        f"{chart.draw()}</svg>"
    )


def standalone_svg(report: Mapping[str, Any], dots: Sequence[Dot]) -> str:
    """Return the chart with its style and a background, light or dark as the reader's system is."""
    chart = Chart(report, dots)
    width, height = WIDTH + 2 * MARGIN, chart.height + 2 * MARGIN
    style = svg.element("style", style_sheet("picture.css"))
    card = f'<rect width="{width}" height="{svg.number(height)}" rx="14" style="fill: var(--card)"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width} {svg.number(height)}" '
        f'width="{width}" height="{svg.number(height)}" role="img" aria-label="{DESCRIPTION}">'
        f'{style}{card}<g transform="translate({MARGIN} {MARGIN})">{chart.draw()}</g></svg>\n'
    )


def style_sheet(name: str) -> str:
    """Return the text of one of the style sheets."""
    return (ASSETS / name).read_text(encoding="utf-8")


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
