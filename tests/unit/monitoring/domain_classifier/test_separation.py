import time

import numpy as np
import pytest
from scipy import stats

from lambdas.monitoring.domain_classifier import separation
from lambdas.monitoring.domain_classifier.discriminant import auc
from lambdas.monitoring.statistics import kolmogorov_smirnov

NAMES = [f"f{place}" for place in range(10)]


def _rows(draw: np.random.Generator, rows: int, columns: int, correlation: float) -> list[tuple[float, ...]]:
    values = draw.normal(size=(rows, columns))
    values[:, 4] = correlation * values[:, 3] + (1 - correlation**2) ** 0.5 * values[:, 4]
    return [tuple(row) for row in values.tolist()]


@pytest.mark.parametrize("correlation", [0.3, 0.5, 0.8])
def test_a_correlation_that_changes_its_sign_is_found(correlation: float) -> None:
    draw = np.random.default_rng(11)
    for _ in range(10):
        old, new = _rows(draw, 1_000, 10, correlation), _rows(draw, 1_000, 10, -correlation)
        found = separation(NAMES, old, new)
        assert found is not None
        assert found.p_value < 0.01
        assert found.telling[0] == "f3 × f4"


def test_no_marginal_shows_it() -> None:
    draw = np.random.default_rng(12)
    old, new = _rows(draw, 1_000, 10, 0.5), _rows(draw, 1_000, 10, -0.5)
    edges = [-9.0, -1, 0, 1, 9]
    for place in range(10):
        counts = [np.histogram([row[place] for row in rows], edges)[0].tolist() for rows in (old, new)]
        assert kolmogorov_smirnov(*counts).p_value > 0.01


def test_without_change_alarms_are_as_rare_as_the_level_says() -> None:
    draw = np.random.default_rng(13)
    found = [separation(NAMES, _rows(draw, 400, 10, 0.5), _rows(draw, 400, 10, 0.5), seed) for seed in range(200)]
    alarms = [each is not None and each.p_value < 0.05 for each in found]
    assert np.mean(alarms) <= 0.08
    assert sum(each is not None and each.p_value < 0.01 and each.auc > 0.6 for each in found) <= 1


def test_categories_that_go_with_other_numbers_are_found() -> None:
    draw = np.random.default_rng(14)

    def rows(sign: int) -> list[tuple[float | str | None, ...]]:
        held = draw.random(800) < 0.3
        numbers = draw.normal(size=800) + sign * 0.8 * (held - 0.3)
        return [("night" if h else "day", float(x), None) for h, x in zip(held, numbers, strict=True)]

    found = separation(["time", "load", "empty"], rows(1), rows(-1))
    assert found is not None
    assert found.p_value < 1e-3
    assert any("time=" in name and "load" in name for name in found.telling)


def test_missing_values_that_go_with_others_are_found() -> None:
    draw = np.random.default_rng(15)

    def rows(sign: int) -> list[tuple[float | None, float]]:
        numbers = draw.normal(size=800)
        return [(None if sign * x > 0.8 else float(draw.normal()), float(x)) for x in numbers]

    found = separation(["a", "b"], rows(1), rows(-1))
    assert found is not None
    assert found.p_value < 1e-6
    assert "a missing × b" in found.telling


def test_too_few_rows_and_columns_that_never_vary_give_no_answer() -> None:
    assert separation(["a"], [(1.0,)] * 199, [(2.0,)] * 500) is None
    assert separation(["a", "b"], [(1.0, None)] * 300, [(1.0, None)] * 300) is None


def test_the_same_rows_give_the_same_answer() -> None:
    draw = np.random.default_rng(16)
    old, new = _rows(draw, 300, 10, 0.5), _rows(draw, 300, 10, 0.5)
    assert separation(NAMES, old, new, 3) == separation(NAMES, old, new, 3)


def test_the_area_and_its_error_are_those_of_mann_and_whitney() -> None:
    draw = np.random.default_rng(17)
    old, new = draw.integers(0, 9, 70).tolist(), draw.integers(1, 10, 50).tolist()
    area, error = auc(old, new)
    expected = stats.mannwhitneyu(new, old, alternative="greater", use_continuity=False, method="asymptotic")
    assert area == pytest.approx(float(expected.statistic) / (70 * 50))
    assert float(stats.norm.sf((area - 0.5) / error)) == pytest.approx(float(expected.pvalue))


def test_35_columns_take_little_time() -> None:
    draw = np.random.default_rng(18)
    names = [f"f{place}" for place in range(35)]
    old, new = _rows(draw, 1_000, 35, 0.5), _rows(draw, 1_000, 35, -0.5)
    started = time.process_time()
    assert separation(names, old, new) is not None
    assert time.process_time() - started < 3.0  # about 0.3 s; slow machines are slow
