"""Windows of real data that has not changed raise no severe alarm; a small known shift is found."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lambdas.monitoring.assessment.finding import Severity
from lambdas.monitoring.assessment.judging import assess
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.columns import Column, Schema
from lambdas.monitoring.profile.quality import OutputRoles
from lambdas.monitoring.profile.sample import Sample
from lambdas.monitoring.profile.window import WindowCounts
from model_containers.monitoring.baseline import build
from model_containers.monitoring.tables import count_frame

DATA = Path(__file__).parent / "data"
MOMENT = "2026-11-18T00:00:00Z"
REFERENCE_ROWS, WINDOWS = 10_000, 50


def schema_of(frame: pl.DataFrame) -> Schema:
    return Schema(tuple(Column(c.name, "category" if c.dtype == pl.String else "number") for c in frame.iter_columns()))


def baseline_of(frame: pl.DataFrame) -> Baseline:
    return build(schema_of(frame), frame, None, None, OutputRoles(), "1.0.0", MOMENT)


def window_of(baseline: Baseline, frame: pl.DataFrame, number: int) -> WindowCounts:
    hour = f"2026-11-{18 + number // 24:02}T{number % 24:02}:00:00Z"
    window = WindowCounts.of(baseline, "e", hour, hour.replace(":00:00Z", ":59:59Z"))
    count_frame(frame, f"{number}", window, baseline.schema)
    return window


@pytest.mark.parametrize("name", ["flights", "diamonds"])
def test_stable_windows_are_not_severe(name: str) -> None:
    rows = pl.read_parquet(DATA / f"{name}.parquet")
    baseline = baseline_of(rows.head(REFERENCE_ROWS))
    size = (rows.height - REFERENCE_ROWS) // WINDOWS
    found = []
    for number in range(WINDOWS):
        window = window_of(baseline, rows.slice(REFERENCE_ROWS + number * size, size), number)
        if number >= 5:
            window.sample = Sample()  # rows together take a while; the benchmark looks at all
        assessment = assess(baseline, window)
        assert assessment.severity != "undecided"
        found += [finding for finding in assessment.findings if finding.severity == Severity.SEVERE]
    assert found == []


def test_a_shift_of_a_fifth_of_a_sigma_in_one_of_35_columns_is_found() -> None:
    random = np.random.default_rng(7)

    def rows(count: int, shift: float) -> pl.DataFrame:
        values = random.normal(size=(count, 35))
        values[:, 17] += shift
        return pl.DataFrame(values, schema=[f"x{place:02}" for place in range(35)])

    baseline = baseline_of(rows(100_000, 0.0))
    for number in range(5):
        assert list(assess(baseline, window_of(baseline, rows(5000, 0.2), number)).drifted) == ["x17"]
    assert not assess(baseline, window_of(baseline, rows(5000, 0.0), 9)).drifted
