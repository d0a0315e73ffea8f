import numpy as np
import pytest
from scipy import stats

from lambdas.monitoring.statistics import adjusted, enough_expected, psi, rejected, rows_needed
from lambdas.monitoring.statistics.sample_size import reference_rows_needed


def test_adjusted_p_values_are_scipys() -> None:
    values = {f"f{place}": value for place, value in enumerate([0.01, 0.04, 0.03, 0.5, 0.04, 0.0001, 1.0])}
    expected = stats.false_discovery_control(list(values.values()), method="bh")
    assert list(adjusted(values).values()) == pytest.approx(list(expected), rel=1e-12)
    assert list(adjusted(values)) == list(values)


def test_a_small_p_value_among_many_is_no_discovery() -> None:
    assert rejected({"alone": 0.01}, 0.05) == {"alone"}
    assert rejected({"alone": 0.01, **{f"f{i}": 0.5 for i in range(30)}}, 0.05) == set()
    assert rejected({}, 0.05) == set()


def test_so_many_rows_find_the_drift_with_the_power_that_was_asked_for() -> None:
    effect, m = 0.1, 5_000
    n = rows_needed(effect, m, bins=10, level=0.05, power=0.8)
    assert n is not None
    old, draw = np.full(10, 0.1), np.random.default_rng(3)
    tilt = np.linspace(-1, 1, 10)
    new = _of_effect(old, tilt, effect)
    found = [psi(draw.multinomial(m, old), draw.multinomial(n, new)).p_value <= 0.05 for _ in range(2_000)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.04)


def _of_effect(old: np.ndarray, tilt: np.ndarray, effect: float) -> np.ndarray:
    low, high = 0.0, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        new = old * np.exp(middle * tilt)
        new = new / new.sum()
        low, high = (low, middle) if np.sum((new - old) * np.log(new / old)) > effect else (middle, high)
    return new


def test_more_features_a_smaller_effect_and_a_smaller_reference_take_more_rows() -> None:
    usual = rows_needed(0.1, 100_000)
    assert usual == 157
    assert rows_needed(0.1, 100_000, features=35) == pytest.approx(1.8 * usual, rel=0.05)
    assert rows_needed(0.02, 100_000) == pytest.approx(5 * usual, rel=0.02)
    assert rows_needed(0.1, 300) == pytest.approx(2.09 * usual, rel=0.02)


def test_a_reference_may_be_too_small_for_any_window() -> None:
    least = reference_rows_needed(0.02)
    assert rows_needed(0.02, least - 1) is None
    assert rows_needed(0.02, least + 1) is not None
    assert rows_needed(0.02, 0) is None


def test_rare_categories_are_merged() -> None:
    old, new = enough_expected({"a": 900, "b": 90, "c": 6, "d": 4}, {"a": 95, "b": 5})
    assert (old, new) == ([10, 900, 90], [0, 95, 5])
    assert enough_expected({"a": 900, "b": 100}, {"a": 90, "b": 10}) == ([900, 100], [90, 10])


def test_what_is_new_stays_apart_from_what_is_common() -> None:
    assert enough_expected({"a": 1_000}, {"a": 50, "new": 50}) == ([0, 1_000], [50, 50])


def test_rare_categories_raise_no_more_alarms_than_others() -> None:
    draw = np.random.default_rng(8)
    shares = np.array([0.6, 0.25, 0.1, 0.03, 0.01, 0.005, 0.003, 0.002])
    names = "abcdefgh"
    found = []
    for _ in range(2_000):
        old = dict(zip(names, draw.multinomial(10_000, shares).tolist(), strict=True))
        new = dict(zip(names, draw.multinomial(300, shares).tolist(), strict=True))
        found.append(psi(*enough_expected(old, new)).p_value < 0.05)
    assert np.mean(found) < 0.07
