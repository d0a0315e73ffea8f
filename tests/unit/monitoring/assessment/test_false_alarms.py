"""How often stable traffic raises an alarm, and how surely a small drift does."""

from collections.abc import Iterator

import numpy as np
import pytest

from lambdas.monitoring.assessment import Assessment, Severity, assess
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.number_tally import NumberTally
from lambdas.monitoring.profile.window import WindowCounts
from tests.unit.monitoring.assessment.windows import END, START, baseline, normal

FEATURES = 35


@pytest.fixture(scope="module")
def large() -> Baseline:
    return baseline(normal(100_000, FEATURES, seed=20))


def _assessed(of: Baseline, rows: int, seeds: range, shift: float = 0.0) -> Iterator[Assessment]:
    for seed in seeds:
        counts = WindowCounts.of(of, "rain-dev", START, END)
        counts.rows = rows
        for name, values in normal(rows, FEATURES, seed, shift).items():
            tally = counts.columns[name]
            assert isinstance(tally, NumberTally)
            places = np.searchsorted(tally.bins.edges, values, side="right")
            tally.counts = np.bincount(places, minlength=len(tally.bins)).tolist()
        yield assess(of, counts)


@pytest.mark.parametrize("rows", [300, 1_000, 5_000])
def test_stable_windows_raise_no_severe_alarm_and_hardly_a_moderate_one(large: Baseline, rows: int) -> None:
    found = [each.severity for each in _assessed(large, rows, range(1_000, 1_200))]
    assert Severity.SEVERE not in found
    assert Severity.UNDECIDED not in found
    assert sum(severity is not Severity.NONE for severity in found) / len(found) <= (0.08 if rows < 5_000 else 0.0)


def test_a_fifth_of_a_deviation_in_one_of_35_columns_is_found(large: Baseline) -> None:
    found = list(_assessed(large, 5_000, range(2_000, 2_100), shift=0.2))
    hits = [each for each in found if "f0" in each.drifted]
    assert len(hits) / len(found) > 0.95
    assert np.mean([each.features["f0"].psi for each in found]) == pytest.approx(0.038, abs=0.004)
    assert all(each.drifted in ((), ("f0",)) for each in found)


def test_below_the_least_number_of_rows_nothing_is_concluded(large: Baseline) -> None:
    (found,) = _assessed(large, 100, range(1), shift=3.0)
    assert (found.severity, found.drifted, found.severe) == (Severity.UNDECIDED, (), ())
    assert found.rows_needed["severe"] is not None
    assert 100 < found.rows_needed["severe"] < 300
    assert "100 rows; 2" in found.findings[0].text
