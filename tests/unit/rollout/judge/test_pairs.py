"""One share against a bound: exact, by going through every outcome; and the special case of labels."""

from math import comb, exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.rollout.judge import Tally
from lambdas.rollout.judge.pairs import Share, worse_odds

ROUNDING = 1e-9
bounds = st.floats(0.001, 0.9)


def share(bound: float, *groups: tuple[int, int], acceptable: float | None = None) -> Share:
    held = Share(bound, acceptable)
    for events, total in groups:
        held.add(Tally(events, total))
    return held


def expectation(size: int, chance: float, bound: float, name: str) -> float:
    """Return what evidence is worth on average over `size` trials of that chance."""
    return sum(
        comb(size, bad) * chance**bad * (1 - chance) ** (size - bad) * exp(getattr(share(bound, (bad, size)), name))
        for bad in range(size + 1)
    )


@given(st.integers(1, 30), bounds, st.floats(0, 1))
def test_harm_is_worth_1_at_most_on_average_within_what_is_tolerated(size: int, bound: float, part: float) -> None:
    assert expectation(size, bound * part, bound, "harm") <= 1 + ROUNDING


@given(st.integers(1, 30), bounds, st.floats(0, 1))
def test_assurance_is_worth_1_at_most_on_average_above_it(size: int, bound: float, part: float) -> None:
    assert expectation(size, bound + (1 - bound) * part, bound, "assurance") <= 1 + ROUNDING


def test_at_the_bound_itself_nothing_is_lost() -> None:
    assert expectation(20, 0.3, 0.3, "harm") == pytest.approx(1)
    assert expectation(20, 0.3, 0.3, "assurance") == pytest.approx(1)


@given(bounds, st.floats(1.01, 1e6))
def test_worse_odds_are_worse_and_still_a_share(bound: float, times: float) -> None:
    worse = worse_odds(bound, times)
    assert bound < worse <= 1
    assert worse / (1 - worse) == pytest.approx(times * bound / (1 - bound), rel=1e-3) if worse < 0.999 else True


def test_mcnemar_by_hand() -> None:
    # Of 10 inputs that one version alone got right, the live one got 8.
    bets = [(psi / (1 + psi)) ** 8 * (1 / (1 + psi)) ** 2 * 2**10 for psi in (1.25, 1.5, 2, 3, 5, 10)]
    assert share(0.5, (8, 10)).harm == pytest.approx(log(sum(bets) / 6))


def test_not_one_difference_is_evidence_that_there_are_few() -> None:
    bets = [((1 - part * 0.02) / 0.98) ** 500 for part in (0, 0.25, 0.5, 0.75)]
    assert share(0.02, (0, 500)).assurance == pytest.approx(log(sum(bets) / 4))


def test_harm_and_assurance_may_have_bounds_of_their_own() -> None:
    even = share(0.5, (50, 100), acceptable=0.6)
    assert even.harm < 0
    assert even.assurance > share(0.5, (50, 100)).assurance


def test_empty_groups_are_no_looks() -> None:
    held = share(0.1, (0, 0), (1, 10))
    assert held.looks == 1
    assert share(0.1, (0, 0)).harm == 0


def test_pearson_by_hand() -> None:
    squares = 2 * (8 - 5) ** 2 / (10 * 0.5 * 0.5)
    assert share(0.1, (8, 10), (2, 10)).dispersion == pytest.approx((1 + squares) / 2 * 1.75)


def test_groups_of_one_block_are_one_look() -> None:
    held = Share(0.1)
    for events, block in ((8, 1), (2, 1), (5, 2)):
        held.add(Tally(events, 10), block)
    assert held.looks == 2
    assert held.dispersion == pytest.approx(1.75)


def test_differences_that_come_in_clumps_are_worth_less() -> None:
    spread = share(0.02, *[(4, 50)] * 10)
    clumped = share(0.02, *[(20, 50), (0, 50), (0, 50), (0, 50), (0, 50)] * 2)
    assert spread.harm == pytest.approx(clumped.harm)
    assert clumped.dispersion > 5 * spread.dispersion
