"""Noise makes evidence worth less."""

from collections.abc import Callable

import pytest

from lambdas.rollout.judge import Stratum, Tally
from lambdas.rollout.judge.dispersion import Spread, minute, spread, tempering
from lambdas.rollout.judge.rates import Rates


def dispersion(strata: tuple[Stratum, ...]) -> float:
    rates = Rates(1.5)
    for stratum in strata:
        rates.add(stratum)
    return rates.dispersion


@pytest.mark.parametrize(("looks", "doubt"), [(1, 2.5), (2, 1.75), (6, 1.25), (60, 1.025)])
def test_what_remains_without_noise_is_the_doubt_about_it(looks: int, doubt: float) -> None:
    assert tempering(Spread(0.0, looks), looks) == pytest.approx(doubt)


def test_noise_four_times_that_of_chance() -> None:
    assert tempering(Spread(4 * 99, 100), 100) == pytest.approx(4 * 1.015, rel=0.02)


def test_no_data_is_no_error() -> None:
    assert tempering(Spread(0.0, 0), 0) >= 1


def test_what_cannot_vary_is_no_term() -> None:
    assert spread([(0, 3.0, 0.0), (1, 4.0, 8.0)]) == Spread(2.0, 1)


def test_counts_of_one_block_are_one_term() -> None:
    assert spread([(0, 1.0, 1.0), (0, 3.0, 1.0), (1, 2.0, 4.0)]) == Spread(8.0 + 1.0, 2)
    assert [minute(at) for at in (0, 10, 59.9, 60, 3_600)] == [0, 0, 0, 1, 60]


def test_pearson_by_hand(periods: Callable[..., tuple[Stratum, ...]]) -> None:
    # Half of the traffic each, as many errors on both sides: each is as likely to be the new version's.
    strata = periods((8, 100, 2, 100), (2, 100, 8, 100))
    squares = 2 * (8 - 5) ** 2 / (10 * 0.5 * 0.5)
    assert dispersion(strata) == pytest.approx((1 + squares) / 2 * 1.75)


def test_a_shared_swing_is_no_noise(periods: Callable[..., tuple[Stratum, ...]]) -> None:
    calm = periods(*[(10, 1_000, 90, 9_000)] * 10)
    swinging = periods(*[(10, 1_000, 90, 9_000), (100, 1_000, 900, 9_000)] * 5)
    assert dispersion(swinging) == pytest.approx(dispersion(calm))


def test_a_steady_regression_is_no_noise(periods: Callable[..., tuple[Stratum, ...]]) -> None:
    assert dispersion(periods(*[(30, 1_000, 90, 9_000)] * 10)) == pytest.approx(1.15)


def test_bursts_are_noise(periods: Callable[..., tuple[Stratum, ...]]) -> None:
    assert dispersion(periods(*[(0, 1_000, 90, 9_000)] * 9, (100, 1_000, 90, 9_000))) > 5


def test_periods_without_errors_tell_nothing_about_noise(periods: Callable[..., tuple[Stratum, ...]]) -> None:
    bursts = [(0, 1_000, 90, 9_000)] * 5 + [(60, 1_000, 90, 9_000)]
    quiet = [(0, 1_000, 0, 9_000)] * 30
    assert dispersion(periods(*bursts, *quiet)) > 0.7 * dispersion(periods(*bursts))


def test_a_burst_in_periods_of_ten_seconds_is_no_smaller_than_in_one_of_a_minute(
    periods: Callable[..., tuple[Stratum, ...]],
) -> None:
    minutes = [(0, 3_000, 90, 9_000), (60, 3_000, 90, 9_000)] * 3
    tens = tuple(
        Stratum(stratum.at + 10 * part, Tally(stratum.new.events // 6, 500), Tally(15, 1_500))
        for stratum in periods(*minutes)
        for part in range(6)
    )
    assert dispersion(tens) == pytest.approx(dispersion(periods(*minutes)))
