"""Which version is better, over several metrics."""

import json
from collections.abc import Callable
from math import inf, log

import pytest

from lambdas.rollout.judge import Contest, Limits, Series, Stratum, Winner, contest
from lambdas.rollout.judge.abtest import discovered

Periods = Callable[..., tuple[Stratum, ...]]

EQUAL = (30, 3_000, 30, 3_000)
NEW_BETTER = (15, 3_000, 30, 3_000)
LIVE_BETTER = (30, 3_000, 15, 3_000)
QUIET = (0, 3_000, 0, 3_000)


def between(errors: tuple[Stratum, ...], latency: tuple[Stratum, ...] = ()) -> Contest:
    return contest(Series(60, errors, latency, threshold_ms=120 if latency else None), Limits())


def winner(errors: tuple[Stratum, ...], latency: tuple[Stratum, ...] = ()) -> Winner:
    return between(errors, latency).winner


@pytest.mark.parametrize(("counts", "expected"), [(NEW_BETTER, Winner.NEW), (LIVE_BETTER, Winner.LIVE)])
def test_the_better_one_wins(periods: Periods, counts: tuple[int, ...], expected: Winner) -> None:
    assert winner(periods(*[counts] * 12)) is expected


def test_swapping_the_versions_swaps_the_winner(periods: Periods) -> None:
    mirrored = {Winner.NEW: Winner.LIVE, Winner.UNDECIDED: Winner.UNDECIDED}
    for length in range(1, 13):
        one, other = winner(periods(*[NEW_BETTER] * length)), winner(periods(*[LIVE_BETTER] * length))
        assert mirrored[one] is other


def test_equal_versions_are_no_different_in_the_end(periods: Periods) -> None:
    assert winner(periods(EQUAL)) is Winner.UNDECIDED
    assert winner(periods(*[EQUAL] * 12)) is Winner.NEITHER


def test_nobody_wins_while_the_noise_is_unknown(periods: Periods) -> None:
    assert winner(periods(*[(3, 3_000, 30, 3_000)] * 5)) is Winner.UNDECIDED
    assert winner(periods(*[(3, 3_000, 30, 3_000)] * 6)) is Winner.NEW


def test_harmless_rates_are_no_reason_to_stop_looking(periods: Periods) -> None:
    assert winner(periods(*[QUIET] * 20)) is Winner.UNDECIDED


def test_better_in_one_metric_and_harmless_in_the_other_wins(periods: Periods) -> None:
    assert winner(periods(*[QUIET] * 12), periods(*[NEW_BETTER] * 12)) is Winner.NEW


def test_better_in_one_metric_and_unknown_in_the_other_goes_on(periods: Periods) -> None:
    assert winner(periods(*[NEW_BETTER] * 12), periods((1, 20, 1, 20))) is Winner.UNDECIDED


def test_each_better_in_something_is_for_people_to_decide(periods: Periods) -> None:
    torn = between(periods(*[NEW_BETTER] * 20), periods(*[LIVE_BETTER] * 20))
    assert torn.winner is Winner.UNDECIDED
    assert torn.reason == "the live version is better in latency, the new one in 5xx"


def test_nothing_counted_goes_on() -> None:
    assert winner(()) is Winner.UNDECIDED


def test_the_reason_has_numbers(periods: Periods) -> None:
    test = between(periods(*[LIVE_BETTER] * 12))
    assert test.reason.startswith(
        "the live version is better: 5xx 360/36,000 vs 180/36,000, evidence that it is worse "
    )
    assert json.loads(json.dumps(test.numbers, allow_nan=False))["winner"] == "live"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], set()),
        ([19.9], set()),
        ([20.1], {0}),
        ([40, 1], {0}),  # 2 hypotheses: the best must have 2 x 20
        ([39, 1], set()),
        ([20, 20], {0, 1}),  # the second of two only 20, and it takes the first along
        ([1, 80, 40, 24.9, 1e9], {1, 2, 4}),  # of 5: 100, 50, 33.3, 25, 20
        ([1, 80, 40, 25.1, 1e9], {1, 2, 3, 4}),
        ([inf, 0.5, 0.5, 0.5], {0}),
    ],
)
def test_e_bh(values: list[float], expected: set[int]) -> None:
    logs = [log(value) if value != inf else inf for value in values]
    assert discovered(logs, 20) == expected
