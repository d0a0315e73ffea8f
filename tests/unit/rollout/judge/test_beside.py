"""One metric beside the live version's: what is added up, and how its parts come together."""

from collections.abc import Callable
from math import exp, log

import pytest

from lambdas.rollout.judge import Stratum, Tally
from lambdas.rollout.judge.beside import Beside, compared
from lambdas.rollout.judge.counts import added
from lambdas.rollout.judge.pairs import Share
from lambdas.rollout.judge.rates import Rates

Periods = Callable[..., tuple[Stratum, ...]]

COUNTS = [(3, 300, 57, 5_700), (9, 1_500, 40, 4_500), (0, 300, 61, 5_700), (1, 6_000, 0, 0)]


def parts(strata: tuple[Stratum, ...]) -> tuple[Rates, Share]:
    rates, own = Rates(1.5), Share(0.01)
    for stratum in strata:
        rates.add(stratum)
        own.add(stratum.new)
    return rates, own


def test_counts_are_added_up(periods: Periods) -> None:
    finding = compared("5xx", periods(*COUNTS), 1.5, 0.01)
    assert (finding.new, finding.live) == (Tally(13, 8_100), Tally(158, 15_900))
    assert finding.looks == 3


def test_harm_is_that_of_the_ratio_tempered(periods: Periods) -> None:
    rates, _ = parts(periods(*COUNTS))
    finding = compared("5xx", periods(*COUNTS), 1.5, 0.01)
    assert finding.untempered == rates.harm
    assert finding.dispersion == rates.dispersion > 1
    assert finding.harm == rates.harm / rates.dispersion


def test_assurance_is_the_mean_of_two_bets_each_tempered(periods: Periods) -> None:
    rates, own = parts(periods(*COUNTS))
    mean = (exp(rates.assurance / rates.dispersion) + exp(own.assurance / own.dispersion)) / 2
    assert compared("5xx", periods(*COUNTS), 1.5, 0.01).assurance == pytest.approx(log(mean))


def test_without_a_tolerated_share_only_the_ratio_vouches(periods: Periods) -> None:
    rates, _ = parts(periods(*COUNTS))
    assert compared("5xx", periods(*COUNTS), 1.5).assurance == rates.assurance / rates.dispersion


def test_period_by_period_is_the_same_as_all_at_once(periods: Periods) -> None:
    beside, strata = Beside("5xx", 1.5, 0.01), periods(*COUNTS)
    for length, stratum in enumerate(strata, start=1):
        beside.add(stratum)
        assert beside.finding == compared("5xx", strata[:length], 1.5, 0.01)


def test_periods_of_one_minute_vouch_as_one_look() -> None:
    tens = tuple(Stratum(10.0 * i, Tally(0, 100), Tally(0, 1_900)) for i in range(6))
    minute = (Stratum(0, Tally(0, 600), Tally(0, 11_400)),)
    assert compared("5xx", tens, 1.5, 0.01).assurance == pytest.approx(compared("5xx", minute, 1.5, 0.01).assurance)


def test_tallies() -> None:
    assert added([Tally(1, 10), Tally(2, 20)]) == Tally(3, 30)
    assert added([]) == Tally(0, 0)
    assert (Tally(2, 20).fine, Tally(5, 3).fine) == (18, 0)
    assert str(Tally(1_204, 22_870)) == "1,204/22,870"
