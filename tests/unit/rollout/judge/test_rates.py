"""Two rates: what is exact is checked by going through every outcome there is."""

from collections.abc import Callable, Iterator
from itertools import product
from math import comb, exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.rollout.judge import Stratum, Tally
from lambdas.rollout.judge.rates import Rates

MARGIN = 1.5
ROUNDING = 1e-9

sizes = st.integers(1, 7)
chances = st.floats(0, 1)


def outcomes(size: int, chance: float) -> Iterator[tuple[int, float]]:
    """Yield every number of bad requests with its probability."""
    for events in range(size + 1):
        yield events, comb(size, events) * chance**events * (1 - chance) ** (size - events)


def expectation(worth: Callable[[Rates], float], *plan: tuple[int, float, int, float]) -> float:
    """Return what evidence is worth on average, over periods of so many requests with such chances of being bad."""
    total = 0.0
    sides = [outcomes(size, chance) for a, p, b, r in plan for size, chance in ((a, p), (b, r))]
    for drawn in product(*sides):
        rates, probability = Rates(MARGIN), 1.0
        for (a, _, b, _), (new, one), (live, other) in zip(plan, drawn[::2], drawn[1::2], strict=True):
            rates.add(Stratum(0, Tally(new, a), Tally(live, b)))
            probability *= one * other
        total += probability * exp(worth(rates))
    return total


def harm(rates: Rates) -> float:
    return rates.harm


def assurance(rates: Rates) -> float:
    return rates.assurance


@given(sizes, sizes, chances, chances)
def test_harm_is_worth_1_at_most_on_average_when_the_new_version_is_no_worse(
    new: int, live: int, chance: float, part: float
) -> None:
    assert expectation(harm, (new, chance * part, live, chance)) <= 1 + ROUNDING


@given(sizes, sizes, st.floats(0, 1 / MARGIN), st.floats(MARGIN, 20))
def test_assurance_is_worth_1_at_most_on_average_when_the_new_version_is_inferior(
    new: int, live: int, chance: float, times: float
) -> None:
    assert expectation(assurance, (new, min(chance * times, 1), live, chance)) <= 1 + ROUNDING


@pytest.mark.parametrize("rates", [(0.05, 0.6), (0.6, 0.05), (0.3, 0.3)])
@pytest.mark.parametrize("sizes", [((1, 5), (4, 2)), ((4, 2), (1, 5))])
def test_neither_ramped_weights_nor_a_moving_rate_make_evidence(
    rates: tuple[float, float], sizes: tuple[tuple[int, int], ...]
) -> None:
    equal = [(new, rate, live, rate) for (new, live), rate in zip(sizes, rates, strict=True)]
    worse = [(new, min(rate * MARGIN, 1), live, rate) for (new, live), rate in zip(sizes, rates, strict=True)]
    assert expectation(harm, *equal) <= 1 + ROUNDING
    assert expectation(assurance, *worse) <= 1 + ROUNDING


def test_a_worse_version_is_found_on_average() -> None:
    assert expectation(harm, (5, 0.6, 5, 0.1)) > 1
    assert expectation(assurance, (5, 0.1, 5, 0.6)) > 1


def test_harm_of_one_period_by_hand(periods: Callable[..., tuple[Stratum, ...]]) -> None:
    rates = Rates(MARGIN)
    for stratum in periods((3, 100, 1, 300)):
        rates.add(stratum)
    ratios = [psi**3 / (0.25 * psi + 0.75) ** 4 for psi in (1.25, 1.5, 2, 3, 5, 10)]
    assert rates.harm == pytest.approx(log(sum(ratios) / 6))
    against = 1.5**3 / (0.25 * 1.5 + 0.75) ** 4
    kinds = [psi**3 / (0.25 * psi + 0.75) ** 4 / against for psi in (0.5, 0.8, 1, 1.2)]
    assert rates.assurance == pytest.approx(log(sum(kinds) / 4))


@pytest.mark.parametrize("counts", [(0, 0, 4, 100), (5, 100, 0, 0), (0, 100, 0, 100)])
def test_nothing_to_compare_is_no_evidence(
    periods: Callable[..., tuple[Stratum, ...]], counts: tuple[int, ...]
) -> None:
    rates = Rates(MARGIN)
    for stratum in periods(counts):
        rates.add(stratum)
    assert (rates.harm, rates.assurance, rates.ratio) == (0, 0, 1)


def test_only_periods_in_which_both_answered_are_looks(periods: Callable[..., tuple[Stratum, ...]]) -> None:
    rates = Rates(MARGIN)
    for stratum in periods((0, 0, 4, 100), (5, 100, 0, 0), (0, 100, 0, 100), (1, 100, 0, 100)):
        rates.add(stratum)
    assert rates.looks == 2


def test_ratio_is_that_of_mantel_and_haenszel(periods: Callable[..., tuple[Stratum, ...]]) -> None:
    rates = Rates(MARGIN)
    for stratum in periods(*[(20, 1_000, 100, 10_000), (90, 5_000, 45, 5_000)] * 50):
        rates.add(stratum)
    above = 50 * (20 * 10_000 / 11_000 + 90 * 5_000 / 10_000)
    below = 50 * (100 * 1_000 / 11_000 + 45 * 5_000 / 10_000)
    assert rates.ratio == pytest.approx(above / below, rel=1e-3)


def test_ratio_stays_finite_without_a_live_error(periods: Callable[..., tuple[Stratum, ...]]) -> None:
    rates = Rates(MARGIN)
    for stratum in periods(*[(30, 300, 0, 5_700)] * 6):
        rates.add(stratum)
    assert 100 < rates.ratio < 1e6
    assert rates.harm / rates.dispersion > log(1e9)


@given(st.permutations([(3, 300, 50, 5_700), (9, 300, 60, 5_700), (40, 1_500, 90, 4_500), (0, 3_000, 80, 3_000)]))
def test_the_order_in_which_periods_arrive_changes_nothing(counts: list[tuple[int, int, int, int]]) -> None:
    sums = []
    for order in (counts, sorted(counts)):
        rates = Rates(MARGIN)
        for a, b, c, d in order:
            rates.add(Stratum(0, Tally(a, b), Tally(c, d)))
        sums.append((rates.harm, rates.assurance))
    assert sums[0] == pytest.approx(sums[1])
