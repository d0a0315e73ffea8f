"""Windows whose data are broken end in a finding that names it, and never in a severe drift."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lambdas.monitoring.assessment import Kind, Policy, Severity, Summary, assess
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.number_tally import NumberTally
from lambdas.monitoring.profile.window import WindowCounts
from tests.unit.monitoring.assessment.windows import END, START, baseline, normal, summary, window

ROWS = 1_000
USUAL = [summary(hour, rows=ROWS) for hour in range(6, 13)]
DRIFT = (Kind.DATA_DRIFT, Kind.PREDICTION_DRIFT, Kind.CONFIDENCE_DRIFT, Kind.JOINT_DRIFT)


@pytest.fixture(scope="module")
def of() -> Baseline:
    return baseline(normal(20_000, 4, seed=1))


def _window(of: Baseline, rows: int = ROWS) -> WindowCounts:
    # The first column has drifted severely: what is broken must keep it from counting.
    return window(of, normal(rows, 4, seed=2, shift=2.0))


def _empty(of: Baseline) -> WindowCounts:
    return WindowCounts.of(of, "rain-dev", START, END)


def _all_missing(of: Baseline) -> WindowCounts:
    columns = normal(ROWS, 4, seed=2, shift=2.0)
    return window(of, {**columns, "f2": np.full(ROWS, np.nan)})


def _nan(of: Baseline) -> WindowCounts:
    counts = _window(of)
    tally = counts.columns["f3"]
    assert isinstance(tally, NumberTally)
    tally.add_many([float("nan")] * 30)
    return counts


def _unknown_column(of: Baseline) -> WindowCounts:
    counts = _window(of)
    counts.unknown_columns.add("humidty", ROWS)
    return counts


def _column_gone(of: Baseline) -> WindowCounts:
    columns = normal(ROWS, 4, seed=2, shift=2.0)
    del columns["f2"]
    return window(of, columns)


def _another_width(of: Baseline) -> WindowCounts:
    counts = _window(of)
    counts.malformed.add("wrong_width", "a.jsonl", 3, "5 values, 4 belong there", 200)
    return counts


def _truncated(of: Baseline) -> WindowCounts:
    counts = _window(of)
    counts.malformed.add("truncated", "a.jsonl", 41, "the line ends within a string", 20)
    return counts


def _flood(of: Baseline) -> WindowCounts:
    return _window(of, 10 * ROWS)


def _trickle(of: Baseline) -> WindowCounts:
    return _window(of, ROWS // 6)


BROKEN: dict[str, tuple[Callable[[Baseline], WindowCounts], Kind, str, str]] = {
    "empty": (_empty, Kind.EMPTY_WINDOW, "window", "1,000 are usual"),
    "a column all missing": (_all_missing, Kind.MISSING_VALUES, "f2", "missing altogether: in 1,000 of 1,000 rows"),
    "NaN": (_nan, Kind.NOT_FINITE, "f3", "30 of 1,030 rows (2.9 %)"),
    "a column that nobody knows": (_unknown_column, Kind.SCHEMA_CHANGE, "columns", "`humidty` came with requests"),
    "a column gone": (_column_gone, Kind.SCHEMA_CHANGE, "columns", "`f2` of the model's columns never came"),
    "another width": (_another_width, Kind.SCHEMA_CHANGE, "columns", "200 rows have another number of columns"),
    "truncated lines": (_truncated, Kind.MALFORMED_RECORDS, "captures", "line 41 of a.jsonl: the line ends within"),
    "ten times the traffic": (_flood, Kind.VOLUME, "rows", "10,000 rows, 10.0 times as many as usual"),
    "a sixth of the traffic": (_trickle, Kind.VOLUME, "rows", "166 rows, 17 % of what is usual"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_data_are_named_and_make_the_window_suspect(of: Baseline, name: str) -> None:
    make, kind, subject, text = BROKEN[name]
    found = assess(of, make(of), history=USUAL)
    assert (found.severity, found.drifted, found.severe) == (Severity.SUSPECT, (), ())
    finding = next(one for one in found.findings if one.kind is kind)
    assert (finding.subject, finding.severity, finding.makes) == (subject, Severity.SEVERE, Severity.SUSPECT)
    assert text in finding.text
    assert finding.next_step
    assert found.findings[0].makes is Severity.SUSPECT
    assert all(one.severity is Severity.INFO for one in found.findings if one.kind in DRIFT)


def test_the_same_drift_in_whole_data_is_severe(of: Baseline) -> None:
    found = assess(of, _window(of), history=USUAL)
    assert (found.severity, found.severe) == (Severity.SEVERE, ("f0",))


def test_a_stale_baseline_makes_the_window_suspect(of: Baseline) -> None:
    old = replace(of, created_at="2024-12-01T00:00:00Z")
    found = assess(old, window(old, normal(ROWS, 4, seed=2, shift=2.0)))
    assert (found.severity, found.findings[0].kind) == (Severity.SUSPECT, Kind.STALE_BASELINE)
    assert "456 days old; 365 are allowed" in found.findings[0].text
    allowed = Policy.of({"moderate": 0.02, "severe": 0.1}, 500)
    assert assess(old, window(old, normal(ROWS, 4, seed=2, shift=2.0)), allowed).severity is Severity.SEVERE


def test_without_a_baseline_nothing_is_decided() -> None:
    found = assess(None, WindowCounts("rain-dev", START, END, "", rows=400))
    assert (found.severity, found.findings[0].kind) == (Severity.UNDECIDED, Kind.NO_BASELINE)
    assert "`bootstrap_baseline`" in found.findings[0].next_step


def test_an_empty_window_where_nothing_is_usual_is_undecided(of: Baseline) -> None:
    found = assess(of, _empty(of), history=USUAL[:2])
    assert (found.severity, found.findings[0].kind) == (Severity.UNDECIDED, Kind.EMPTY_WINDOW)


def test_lines_that_are_all_unreadable_are_an_empty_window_with_a_reason(of: Baseline) -> None:
    counts = _empty(of)
    counts.malformed.add("not_json", "a.jsonl", 1, "Expecting value", 50)
    kinds = {one.kind for one in assess(of, counts).findings}
    assert kinds == {Kind.EMPTY_WINDOW, Kind.MALFORMED_RECORDS}


def test_what_is_usual_is_learnt_from_the_last_windows_only(of: Baseline) -> None:
    earlier = [summary(hour, rows=rows) for hour, rows in ((1, 100), (2, 100), (3, 100))]
    later = [summary(hour, rows=100) for hour in range(15, 20)]
    assert assess(of, _window(of), history=earlier).severity is Severity.SUSPECT
    assert assess(of, _window(of), history=later).severity is Severity.SEVERE
    grown = [summary(hour, rows=900) for hour in range(4, 9)]
    assert assess(of, _window(of), history=[*earlier, *grown]).severity is Severity.SEVERE
    assert assess(of, _window(of), history=[]).severity is Severity.SEVERE


def test_a_few_broken_values_are_only_good_to_know(of: Baseline) -> None:
    counts = window(of, normal(ROWS, 4, seed=3))
    tally = counts.columns["f3"]
    assert isinstance(tally, NumberTally)
    tally.add_many([float("inf")] * 2)
    counts.malformed.add("truncated", "a.jsonl", 41, "the line ends within a string", 2)
    counts.late = 5
    counts.versions.add("1.4.0", 900)
    counts.versions.add("1.5.0", 100)
    found = assess(of, counts, history=USUAL)
    assert found.severity is Severity.NONE
    assert {one.kind for one in found.findings} == {
        Kind.NOT_FINITE,
        Kind.MALFORMED_RECORDS,
        Kind.LATE_RECORDS,
        Kind.VERSION_CHANGED,
    }


def test_more_missing_values_are_moderate_and_far_more_are_broken(of: Baseline) -> None:
    for share, severity in ((0.005, Severity.NONE), (0.1, Severity.MODERATE), (0.4, Severity.SUSPECT)):
        columns = normal(ROWS, 4, seed=4)
        columns["f1"][: int(share * ROWS)] = np.nan
        assert assess(of, window(of, columns)).severity is severity


def test_another_baseline_than_before_is_said(of: Baseline) -> None:
    before = [replace(USUAL[0], baseline_id="f" * 16, model_version="1.3.0")]
    (finding,) = assess(of, window(of, normal(ROWS, 4, seed=3)), history=before).findings
    assert (finding.kind, finding.severity) == (Kind.VERSION_CHANGED, Severity.INFO)
    assert "compared with that of 1.3.0" in finding.text


def test_a_baseline_too_small_for_any_window_is_said() -> None:
    small = baseline(normal(60, 4, seed=5))
    found = assess(small, window(small, normal(ROWS, 4, seed=2, shift=2.0)))
    assert (found.severity, found.severe) == (Severity.UNDECIDED, ())
    assert "The baseline has 60 rows; below " in found.findings[0].text


def test_history_without_this_endpoint_changes_nothing(of: Baseline) -> None:
    nothing: list[Summary] = []
    assert assess(of, _window(of), history=nothing) == assess(of, _window(of))


def test_nothing_is_said_of_columns_that_are_left_out_of_captures(of: Baseline) -> None:
    missing = window(of, {**normal(ROWS, 4, seed=2), "f2": np.full(ROWS, np.nan)})
    assert assess(of, missing, Policy(), USUAL).severity is Severity.SUSPECT
    told = assess(of, missing, Policy(redacted=frozenset({"f2"})), USUAL)
    assert told.severity is Severity.NONE
    assert "f2" not in told.features
    assert not [each for each in told.findings if each.subject == "f2"]
