"""Kayenta's rule as it is written here decides as Kayenta does, on cases that its users and authors have published."""

import numpy as np
import pytest

from bench.judge.kayenta import difference, is_high


def test_the_numbers_that_a_user_printed() -> None:
    # github.com/spinnaker/spinnaker/issues/6278
    new, live = np.array([100.0] * 7 + [1.0] * 3), np.array([1.0] * 10)
    found = difference(new, live)
    assert found.low == pytest.approx(6.825022991538781e-5, rel=1e-6)
    assert found.high == pytest.approx(99.0)
    assert found.estimate == pytest.approx(98.99992904170193, rel=1e-12)
    assert not is_high(new, live)


def test_it_fails_as_soon_as_the_eighth_value_changes() -> None:
    assert is_high(np.array([100.0] * 8 + [1.0] * 2), np.array([1.0] * 10))


def test_sparse_errors_pass() -> None:
    # github.com/spinnaker/kayenta/issues/426
    assert not is_high(np.array([0.0, 1.0, 2.0, 1.0, 0.0, 0.0]), np.zeros(6))


def test_the_same_values_pass() -> None:
    values = np.array([3.0, 1.0, 2.0])
    assert not is_high(values, values[::-1])


@pytest.mark.parametrize(("shift", "high"), [(0.0, False), (10.0, True), (-10.0, False)])
def test_only_an_increase_fails(shift: float, high: bool) -> None:
    live = np.random.default_rng(1).normal(10, 2, 30)
    new = np.random.default_rng(2).normal(10, 2, 30) + shift
    assert is_high(new, live) is high


def test_what_is_seen_quickly_is_what_the_interval_says() -> None:
    random = np.random.default_rng(3)
    seen = set()
    for _ in range(200):
        new, live = random.poisson(6, 12) / 3.0, random.poisson(57, 12) / 57.0
        found = difference(new, live)
        slowly = found.low > 0.25 * abs(found.estimate) and bool(new.mean() >= live.mean())
        assert is_high(new, live) is slowly
        seen.add(slowly)
    assert seen == {True, False}
