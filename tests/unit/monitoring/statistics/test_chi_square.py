import pytest
from scipy import stats

from lambdas.monitoring.statistics import chi_square, normal


@pytest.mark.parametrize("degrees", [1, 2, 3, 9, 10, 50, 100, 350])
@pytest.mark.parametrize("times", [0.01, 0.3, 0.9, 1.0, 1.02, 1.5, 3, 8, 20])
def test_the_tail_is_that_of_scipy_to_twelve_digits(degrees: int, times: float) -> None:
    value = degrees * times
    assert chi_square.survival(value, degrees) == pytest.approx(float(stats.chi2.sf(value, degrees)), rel=1e-12, abs=0)


def test_nothing_is_below_zero_and_everything_below_infinity() -> None:
    assert chi_square.survival(0, 9) == 1
    assert chi_square.survival(-1, 9) == 1
    assert chi_square.survival(1e6, 9) == 0


@pytest.mark.parametrize(("level", "degrees"), [(0.05, 9), (0.001, 9), (0.05, 1), (1e-6, 99)])
def test_critical_values_are_those_of_scipy(level: float, degrees: int) -> None:
    assert chi_square.critical(level, degrees) == pytest.approx(float(stats.chi2.isf(level, degrees)), rel=1e-10)


@pytest.mark.parametrize("noncentrality", [0.5, 15.0, 180.0, 2000.0])
def test_the_noncentral_tail_is_that_of_scipy(noncentrality: float) -> None:
    for value in (5.0, 17.0, 200.0, 2100.0):
        expected = float(stats.ncx2.sf(value, 9, noncentrality))
        assert chi_square.noncentral_survival(value, 9, noncentrality) == pytest.approx(expected, abs=1e-10)


def test_the_noncentrality_gives_the_power_that_was_asked_for() -> None:
    size = chi_square.noncentrality_for(0.8, 0.05, 9)
    assert float(stats.ncx2.sf(stats.chi2.isf(0.05, 9), 9, size)) == pytest.approx(0.8, abs=1e-9)


def test_the_normal_tail_is_that_of_scipy_far_out_too() -> None:
    for z in (-3.0, 0.0, 1.96, 8.0, 30.0):
        assert normal.survival(z) == pytest.approx(float(stats.norm.sf(z)), rel=1e-12)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (3, 10), (7_301, 10_000), (1, 1)])
def test_wilson_intervals_are_those_of_scipy(successes: int, trials: int) -> None:
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    assert normal.wilson(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_without_trials_a_share_may_be_anything() -> None:
    assert normal.wilson(0, 0) == (0, 1)
