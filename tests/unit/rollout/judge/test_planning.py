"""How long evidence takes, beside what the judge needs when traffic comes just as expected."""

from dataclasses import replace
from math import inf, log

import pytest

from lambdas.rollout.judge import Limits, Stratum, Tally
from lambdas.rollout.judge.planning import Traffic, seconds_to_see, seconds_to_trust
from lambdas.rollout.judge.rates import Rates

LIMITS = Limits()
CANARY = Traffic(per_second=100, bad_share=0.01, new_share=0.05)


@pytest.mark.parametrize("ratio", [1.5, 2, 5])
def test_for_a_small_share_it_is_the_formula_of_poisson_counts(ratio: float) -> None:
    tiny = replace(CANARY, new_share=1e-5)
    per_second = 100 * 0.01 * 1e-5 * (ratio * log(ratio) - ratio + 1)
    assert seconds_to_see(tiny, ratio, LIMITS) == pytest.approx((log(20) + log(6)) / per_second, rel=1e-3)


def test_evidence_of_expected_counts_reaches_the_level_by_then() -> None:
    rates, limits = Rates(1.5), LIMITS
    seconds = seconds_to_see(CANARY, 2, limits)
    # So many times the traffic that counts may be whole, for as many times fewer seconds.
    rates.add(
        Stratum(0, Tally(round(0.1 * seconds), round(5 * seconds)), Tally(round(0.95 * seconds), round(95 * seconds)))
    )
    assert rates.harm == pytest.approx(log(20), abs=1)


def test_a_good_version_is_trusted_by_the_ratio_where_errors_are_common() -> None:
    per_second = 100 * 0.01 * (log(0.05 * 1.5 + 0.95) - 0.05 * log(1.5))
    assert seconds_to_trust(CANARY, LIMITS, tolerated=0.01) == pytest.approx((log(20) + log(8)) / per_second)


def test_and_by_what_is_tolerated_where_they_are_rare() -> None:
    quiet = replace(CANARY, bad_share=0.0)
    assert seconds_to_trust(quiet, LIMITS, tolerated=0.01) == pytest.approx((log(20) + log(8)) / (5 * -log(0.99)))
    rare = replace(CANARY, bad_share=0.0001)
    assert seconds_to_trust(rare, LIMITS, 0.01) < 2 * seconds_to_trust(quiet, LIMITS, 0.01)


@pytest.mark.parametrize("period", [10, 60])
def test_it_takes_whole_periods(period: int) -> None:
    slow = seconds_to_see(CANARY, 1.25, LIMITS, period)
    assert slow % period == 0
    assert 0 <= slow - seconds_to_see(CANARY, 1.25, LIMITS) < period


def test_it_takes_the_minutes_in_which_noise_is_measured() -> None:
    assert seconds_to_see(CANARY, 2.5, LIMITS) < 300
    for period, measured in ((10, 360), (60, 360), (120, 720)):
        assert seconds_to_see(CANARY, 2.5, LIMITS, period) == measured


def test_or_the_evidence_of_the_breaker_before() -> None:
    assert seconds_to_see(CANARY, 2.5, LIMITS, 60) > seconds_to_see(CANARY, 20, LIMITS, 60) == 60
    assert seconds_to_see(CANARY, 20, replace(LIMITS, breaker=1e12), 10) > seconds_to_see(CANARY, 20, LIMITS, 10)


def test_a_larger_share_sees_sooner() -> None:
    times = [seconds_to_see(replace(CANARY, new_share=share), 2, LIMITS) for share in (0.01, 0.05, 0.25, 0.5)]
    assert times == sorted(times, reverse=True)


def test_rare_errors_at_little_traffic_show_nothing_within_an_hour() -> None:
    assert seconds_to_see(Traffic(10, 0.001, 0.05), 2, LIMITS) > 3_600 > seconds_to_see(CANARY, 2, LIMITS)


@pytest.mark.parametrize("change", [{"per_second": 0.0}, {"bad_share": 0.0}, {"new_share": 0.0}, {"new_share": 1.0}])
def test_without_anything_to_compare_it_takes_for_ever(change: dict[str, float]) -> None:
    assert seconds_to_see(replace(CANARY, **change), 2, LIMITS, period_seconds=60) == inf
