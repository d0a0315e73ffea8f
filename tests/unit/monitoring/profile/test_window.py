"""A window's counts: merging, JSON, and what is refused."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.bins import Bins
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.performance import PerformanceSums
from lambdas.monitoring.profile.references import NumberReference
from lambdas.monitoring.profile.tallies import NumberTally
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.profile.window_parts import Example, Refusals

SMALL = Bins((0.0, 1.0))
EMPTY = Baseline(
    "1",
    "2026-01-01T00:00:00Z",
    0,
    {"x": NumberReference(SMALL, NumberTally(SMALL))},
    {"p": NumberReference(SMALL, NumberTally(SMALL))},
)
# Probabilities of eighths: their sums and squares are exact in any order.
eighths = st.integers(0, 8).map(lambda i: i / 8)
row = st.tuples(
    st.none() | st.sampled_from([-1.0, 0.5, 2.0]),
    eighths,
    st.none() | st.booleans(),
    st.sampled_from(["1", "2"]),
    st.sampled_from(["ok", "not_json", "wrong_width"]),
)
Row = tuple[float | None, float, bool | None, str, str]
numbered = st.lists(row, max_size=20)


def counted(rows: list[tuple[int, Row]], start: int = 0) -> WindowCounts:
    counts = WindowCounts.of(EMPTY, "rain", f"2026-01-01T0{start}:00:00Z", f"2026-01-01T0{start + 1}:00:00Z")
    for line, (x, p, label, version, reason) in rows:
        if reason != "ok":
            counts.malformed.add(reason, "file", line, f"line {line} is wrong")
            continue
        counts.requests += 1
        counts.rows += 1
        counts.late += line % 2
        counts.columns["x"].add(x)  # type: ignore[arg-type]
        counts.outputs["p"].add(p)  # type: ignore[arg-type]
        counts.versions.add(version)
        counts.unknown_columns.add(f"column {line}")
        counts.performance.add(p >= 0.5, p, p, label)
        part = counts.slice(f"version={version}")
        part.rows += 1
        part.performance.add(p >= 0.5, p, p, label)
        counts.sample.offer(line, (x,))
    return counts


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(numbered, st.integers(0, 20), st.integers(0, 20))
def test_counts_merge_in_any_order_and_parts_make_the_whole(rows: list[Row], one: int, two: int) -> None:
    lines = list(enumerate(rows))
    first, second = sorted((one, two))
    parts = lines[:first], lines[first:second], lines[second:]
    whole = counted(lines)

    def a() -> WindowCounts:
        return counted(parts[0])

    def b() -> WindowCounts:
        return counted(parts[1])

    def c() -> WindowCounts:
        return counted(parts[2])

    assert a().merge(b()).merge(c()) == whole
    assert a().merge(b().merge(c())) == whole
    assert c().merge(a()).merge(b()).text() == whole.text()
    assert WindowCounts.of_text(whole.text()) == whole


def test_merged_windows_span_both() -> None:
    merged = counted([], start=3).merge(counted([], start=1))

    assert (merged.start, merged.end) == ("2026-01-01T01:00:00Z", "2026-01-01T04:00:00Z")


def test_counts_start_with_the_bins_of_the_baseline(baseline: Baseline) -> None:
    counts = WindowCounts.of(baseline, "rain", "a", "b")

    assert counts.baseline_id == baseline.id
    assert list(counts.columns) == ["pressure", "wind", "rain"]
    assert all(tally.rows == 0 for tally in (*counts.columns.values(), *counts.outputs.values()))
    assert counts.confidence is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [("baseline_id", "0" * 16), ("endpoint", "other"), ("columns", {}), ("confidence", NumberTally(SMALL))],
)
def test_counts_that_do_not_belong_together_are_not_merged(field: str, value: Any) -> None:
    other = counted([])
    setattr(other, field, value)

    with pytest.raises(ProfileError, match="count the window anew"):
        counted([]).merge(other)


def test_the_first_three_examples_of_a_reason_are_kept() -> None:
    refusals = Refusals()
    for line in (9, 3, 7, 1, 5):
        refusals.add("not_json", "b" if line == 1 else "a", line, "x" * 900)

    assert dict(refusals) == {"not_json": 5}
    assert [(e.file, e.line) for e in refusals.examples("not_json")] == [("a", 3), ("a", 5), ("a", 7)]
    assert len(refusals.examples("not_json")[0].why) == 200
    assert refusals.examples("unknown") == ()
    assert Example("a", 1, "") < Example("a", 2, "")


def test_performance_sums_are_those_of_the_rows() -> None:
    sums = PerformanceSums()
    sums.add(True, 0.9, 0.75, True)
    sums.add(True, 0.6, 0.5, False)
    sums.add(False, 0.2, 0.25, True)
    sums.add(False, 0.1, 0.0, False)
    sums.add(False, None, None, None)

    assert (sums.n, sums.predicted_positive, sums.labelled) == (5, 2, 4)
    assert (sums.tp, sums.fp, sums.fn, sums.tn) == (1, 1, 1, 1)
    assert (sums.calibrated_over_positive, sums.calibrated_over_negative) == (1.25, 0.25)
    assert sums.calibrated_variance == 0.1875 + 0.25 + 0.1875
    assert (sums.calibrated_rows, sums.calibrated_positive, sums.scored) == (4, 2, 4)
    assert sums.brier_sum == pytest.approx(0.01 + 0.36 + 0.64 + 0.01)


def test_performance_that_does_not_add_up_is_refused() -> None:
    document = PerformanceSums(n=3, labelled=2, tp=1).to_json()

    with pytest.raises(ProfileError, match="must add up"):
        PerformanceSums.from_json(document)
