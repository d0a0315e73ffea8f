import numpy as np
import pytest
from scipy import stats

from lambdas.monitoring.performance import Confusion, drop_p_value, measured
from lambdas.monitoring.performance.quality import standard_error


def test_shares_are_counted_and_have_intervals() -> None:
    found = measured(Confusion(tp=30, fp=10, fn=5, tn=55))
    assert (found["accuracy"].value, found["precision"].value) == (0.85, 0.75)
    assert found["recall"].value == pytest.approx(30 / 35)
    expected = stats.binomtest(85, 100).proportion_ci(method="wilson")
    assert found["accuracy"].interval == pytest.approx((expected.low, expected.high))


def test_what_cannot_be_counted_is_left_out() -> None:
    assert set(measured(Confusion(0, 0, 0, 9))) == {"accuracy"}
    assert measured(Confusion(0, 0, 0, 0)) == {}


def test_without_a_drop_alarms_are_as_rare_as_they_should_be() -> None:
    draw = np.random.default_rng(7)
    before, now = draw.binomial(2_000, 0.85, 4_000) / 2_000, draw.binomial(400, 0.85, 4_000) / 400
    found = [
        drop_p_value(a, standard_error(a, 2_000), b, standard_error(b, 400)) < 0.01
        for a, b in zip(before, now, strict=True)
    ]
    assert np.mean(found) < 0.014


def test_certain_shares_differ_for_certain() -> None:
    assert drop_p_value(0.9, 0, 0.8, 0) == 0
    assert drop_p_value(0.8, 0, 0.8, 0) == 1
