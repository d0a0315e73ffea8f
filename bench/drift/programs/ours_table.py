"""Tidegate's drift of two Parquet files, from nothing: ``python ours_table.py REFERENCE CURRENT``.

The baseline is built from the reference, the current rows are counted, and the window is assessed: PSI, KS and JS of
each column, Benjamini-Hochberg over all, and the classifier of rows.
"""

import sys
from pathlib import Path

import polars as pl

from lambdas.monitoring.assessment.judging import assess
from lambdas.monitoring.profile.columns import Column, Schema
from lambdas.monitoring.profile.quality import OutputRoles
from lambdas.monitoring.profile.window import WindowCounts
from model_containers.monitoring.baseline import build
from model_containers.monitoring.tables import count_table


def main(reference: str, current: str) -> None:
    """Print which columns drifted."""
    rows = pl.read_parquet(reference)
    columns = (Column(c.name, "category" if c.dtype == pl.String else "number") for c in rows.iter_columns())
    schema = Schema(tuple(columns))
    baseline = build(schema, rows, None, None, OutputRoles(), "1.0.0", "2026-11-18T00:00:00Z")
    del rows
    window = WindowCounts.of(baseline, "bench", "2026-11-18T00:00:00Z", "2026-11-18T01:00:00Z")
    count_table(Path(current), window, schema)
    print(assess(baseline, window).drifted)


if __name__ == "__main__":
    main(*sys.argv[1:])
