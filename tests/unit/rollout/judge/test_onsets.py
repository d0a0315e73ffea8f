"""Versions that are good at first and turn bad: old evidence must not speak for them."""

import random
from math import inf

import pytest

from lambdas.rollout.judge import Judgement, Limits, Series, Stratum, Tally, Verdict, judge
from lambdas.rollout.judge.onsets import onsets

LIMITS = Limits()
MINUTE, HOUR = 60.0, 3600.0


def minutes(count: int, share: float, times_as_bad: float = 1.0, begin: float = 0.0) -> tuple[Stratum, ...]:
    """Return minutes of 6,000 requests with 1 % bad ones, drawn by chance."""
    chance = random.Random(f"{count} {share} {times_as_bad}")
    new, live = int(6_000 * share), 6_000 - int(6_000 * share)
    return tuple(
        Stratum(
            begin + MINUTE * i, Tally(bad(chance, new, 0.01 * times_as_bad), new), Tally(bad(chance, live, 0.01), live)
        )
        for i in range(count)
    )


def bad(chance: random.Random, requests: int, share: float) -> int:
    """Return about a binomial number."""
    spread = (requests * share * (1 - share)) ** 0.5
    return max(round(chance.gauss(requests * share, spread)), 0)


def judged(strata: tuple[Stratum, ...], step_since: float | None) -> Judgement:
    return judge(Series(60, errors=strata), LIMITS, step_since)


def until_rolled_back(before: tuple[Stratum, ...], after: tuple[Stratum, ...], step_since: float | None) -> float:
    """Return how many minutes pass."""
    for number in range(1, len(after) + 1):
        if judged(before + after[:number], step_since).verdict is Verdict.ROLLBACK:
            return number
    return inf


def test_what_was_good_at_a_small_weight_does_not_speak_for_a_larger_one() -> None:
    day = minutes(24 * 60, 0.10)
    assert judged(day, 0.0).verdict is Verdict.PROMOTE
    worse = minutes(5, 0.50, 2.0, begin=24 * HOUR)
    assert judged(day + worse, None).verdict is Verdict.PROMOTE
    assert judged(day + worse, 24 * HOUR).verdict is not Verdict.PROMOTE


def test_a_version_that_is_worse_at_a_larger_weight_is_found_as_if_it_were_new() -> None:
    day, worse = minutes(24 * 60, 0.10), minutes(30, 0.50, 2.0, begin=24 * HOUR)
    assert until_rolled_back(day, worse, 24 * HOUR) <= 8


@pytest.mark.parametrize("hours", [3, 24])
def test_a_version_that_turns_bad_within_a_step_is_found_before_long(hours: int) -> None:
    good, worse = minutes(hours * 60, 0.10), minutes(30, 0.10, 5.0, begin=hours * HOUR)
    assert until_rolled_back(good, worse, 0.0) <= 12
    assert until_rolled_back(good, worse, None) > 12 or hours == 3


def test_each_beginning_asks_for_more_than_the_one_before() -> None:
    series = Series(60, errors=minutes(4 * 60 + 1, 0.1))
    found = [(counted.errors[0].at / HOUR, caution) for counted, caution in onsets(series, HOUR)]
    assert found == [(3.0, 12.0), (4.0, 20.0)]
    assert [caution for _, caution in onsets(series, 4 * HOUR)] == [2.0]
    all_of_a_week = sum(1 / ((hour + 1) * (hour + 2)) for hour in range(7 * 24))
    assert 0.99 < all_of_a_week < 1


def test_same_inputs_count_whenever_they_were_compared() -> None:
    found = Series(60, errors=minutes(10, 0.1)).since(300.0)
    assert [each.at for each in found.errors] == [300.0, 360.0, 420.0, 480.0, 540.0]
