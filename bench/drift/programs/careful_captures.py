"""The careful path, as the function counts small windows: ``python careful_captures.py ROOT``; a job's folders."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lambdas.monitoring.capture.counting import count_file
from lambdas.monitoring.capture.lines import lines_of
from lambdas.monitoring.capture.reading import Reading
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.window import WindowCounts


def main(root: str) -> None:
    """Print how many rows were counted."""
    inputs = Path(root) / "processing" / "input"
    baseline = Baseline.of_text((inputs / "baseline" / "baseline.json").read_bytes())
    window = WindowCounts.of(baseline, "bench", "2026-11-18T00:00:00Z", "2026-11-19T00:00:00Z")
    for path in sorted((inputs / "captures").rglob("*.jsonl")):
        with path.open("rb") as file:
            name = path.relative_to(inputs / "captures").as_posix()
            count_file(lines_of(_pieces(file)), name, window, Reading(baseline, 0.0, 1e12))
    print(window.rows)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(1024 * 1024):
        yield piece


if __name__ == "__main__":
    main(*sys.argv[1:])
