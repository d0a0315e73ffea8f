"""Isotonic calibration: pool adjacent violators."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.monitoring.profile.calibration import Calibration
from lambdas.monitoring.profile.errors import ProfileError

rows = st.lists(st.tuples(st.integers(0, 20).map(lambda i: i / 20), st.booleans()), min_size=1, max_size=60)


def fitted(values: list[tuple[float, bool]]) -> Calibration:
    return Calibration.of([p for p, _ in values], [y for _, y in values])


def by_min_max(values: list[tuple[float, bool]], at: float) -> float:
    """Return the isotonic fit by its min-max formula: quadratic, but with nothing to get wrong."""
    xs = sorted({p for p, _ in values})

    def mean(low: float, high: float) -> float:
        outcomes = [y for p, y in values if low <= p <= high]
        return sum(outcomes) / len(outcomes)

    return max(min(mean(low, high) for high in xs if high >= at) for low in xs if low <= at)


@given(rows)
def test_the_fit_is_the_isotonic_regression(values: list[tuple[float, bool]]) -> None:
    calibration = fitted(values)

    for p, _ in values:
        assert calibration(p) == pytest.approx(by_min_max(values, p))


@given(rows)
def test_the_mean_of_calibrated_probabilities_is_the_share_of_positives(values: list[tuple[float, bool]]) -> None:
    calibration = fitted(values)

    assert sum(calibration(p) for p, _ in values) == pytest.approx(sum(y for _, y in values))


@given(rows, st.floats(0, 1), st.floats(0, 1))
def test_the_map_never_falls_and_survives_json(values: list[tuple[float, bool]], a: float, b: float) -> None:
    calibration = fitted(values)

    assert calibration(min(a, b)) <= calibration(max(a, b)) + 1e-12
    assert Calibration.from_json(calibration.to_json()) == calibration


def test_between_blocks_the_map_is_linear_and_outside_it_is_flat() -> None:
    calibration = Calibration.of([0.2, 0.4, 0.6, 0.8], [False, False, True, True])

    assert calibration.xs == (0.2, 0.4, 0.6, 0.8)
    assert [calibration(p) for p in (0.0, 0.3, 0.5, 0.7, 1.0)] == pytest.approx([0, 0, 0.5, 1, 1])


def test_many_blocks_become_few() -> None:
    probabilities = [i / 450 for i in range(450) for _ in range(450)]
    outcomes = [j < i for i in range(450) for j in range(450)]
    calibration = Calibration.of(probabilities, outcomes)

    assert len(calibration.xs) <= 400
    assert calibration(0.5) == pytest.approx(0.5, abs=0.003)


def test_no_rows_cannot_be_calibrated() -> None:
    with pytest.raises(ProfileError, match="at least one"):
        Calibration.of([], [])
