"""A table of a million rows: Tidegate beside Evidently, NannyML, and the least that reading it costs."""

import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench.drift import inputs
from bench.drift.goals import Goal, at_least, at_most
from bench.drift.measurement import Measurement
from bench.drift.processes import PROGRAMS, Usage, run
from bench.drift.venvs import python
from bench.rounds import Tell

OURS, FLOOR, EVIDENTLY, DEFAULT, NANNYML = (
    "Tidegate",
    "Polars: read, and one aggregate a column",
    "Evidently, PSI",
    "Evidently, its own choice of methods",
    "NannyML, Jensen-Shannon",
)
WHAT = {
    OURS: "builds the baseline; 100 bins or levels a column; PSI (debiased), KS, JS and L-infinity of each, p-values "
    "with Benjamini-Hochberg, missing values and levels, a classifier of 1,000 rows against 1,000",
    FLOOR: "the mean of numbers, the number of levels of categories, of the current table alone",
    EVIDENTLY: "`DataDriftPreset(num_method='psi', cat_method='psi')`: PSI of each column, of numbers on Sturges's "
    "bins, and the data of its plots",
    DEFAULT: "`DataDriftPreset()`: Wasserstein distance of numbers, Jensen-Shannon of categories, as it chooses for "
    "tables of this size",
    NANNYML: "`UnivariateDriftCalculator` with its default for both kinds, Jensen-Shannon, on one chunk; `fit` on the "
    "reference, whose chunks it measures too",
}


def measure(quick: bool, rounds: int, tell: Tell) -> Measurement:
    """Run every program in turns."""
    rows = (100_000, 10_000) if quick else (1_000_000, 100_000)
    current, reference = inputs.parquet(rows[0], 1), inputs.parquet(rows[1], 2)
    evidently: list[str | Path] = [python("evidently"), PROGRAMS / "evidently_report.py"]
    both = [reference, current]
    commands: dict[str, list[str | Path]] = {
        OURS: [sys.executable, PROGRAMS / "ours_table.py", *both],
        FLOOR: [sys.executable, PROGRAMS / "floor_table.py", current],
        NANNYML: [python("nannyml"), PROGRAMS / "nannyml_univariate.py", *both],
        EVIDENTLY: [*evidently, *both, "psi"],
        DEFAULT: [*evidently, *both, "default"],
    }
    taken: dict[str, list[Usage]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            tell(f"{rows[0]:,} rows, round {number + 1} of {rounds}: {name}")
            taken[name].append(run(command))
    table = [
        [name, f"{median(u.cpu for u in usages):.1f}", f"{max(u.rss for u in usages):.0f}", WHAT[name]]
        for name, usages in taken.items()
    ]
    return Measurement(
        f"{rows[0]:,} rows of 35 columns against {rows[1]:,}",
        ["program", "CPU seconds", "RSS, MiB", "what it computes"],
        table,
        _goals(taken),
    )


def _goals(taken: Mapping[str, list[Usage]]) -> list[Goal]:
    def ratios(over: str, under: str) -> list[float]:
        return [a.cpu / b.cpu for a, b in zip(taken[over], taken[under], strict=True)]

    return [
        at_least("CPU less than Evidently's data-drift report with PSI", 15, ratios(EVIDENTLY, OURS)),
        at_least("CPU less than Evidently's data-drift report by default", 15, ratios(DEFAULT, OURS)),
        at_least("CPU less than NannyML's univariate drift", 4, ratios(NANNYML, OURS)),
        at_most("CPU of reading the table and aggregating each column once", 4, ratios(OURS, FLOOR)),
    ]
