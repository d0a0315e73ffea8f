"""Bins: the definition of the edges, and the grouping of bins."""

from itertools import pairwise
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.monitoring.profile.bins import Bins, merged
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.number_tally import NumberTally

numbers = st.floats(allow_nan=False, allow_infinity=False)


def counts(bins: Bins, values: list[float]) -> list[int]:
    tally = NumberTally(bins)
    tally.add_many(values)
    return tally.counts


def test_edges_are_the_order_statistics_of_the_definition() -> None:
    assert Bins.of([float(x) for x in range(1000)], most=4).edges == (250.0, 500.0, 750.0)
    assert Bins.of([float(x) for x in range(10)], most=4).edges == (2.0, 5.0, 7.0)


def test_fewer_values_than_bins_have_a_bin_each_and_none_below_the_least() -> None:
    assert Bins.of([float(x) for x in range(10)], most=100).edges == tuple(float(x) for x in range(1, 10))


def test_a_hundred_bins_hold_a_hundredth_each() -> None:
    values = [float(x) for x in range(10_000)]

    assert counts(Bins.of(values), values) == [100] * 100


def test_a_value_on_an_edge_lies_in_the_bin_above() -> None:
    bins = Bins((1.0, 2.0))

    assert [bins.index(x) for x in (0.9, 1.0, 1.9, 2.0)] == [0, 1, 1, 2]


def test_a_constant_has_a_bin_of_its_own_with_empty_ones_about_it() -> None:
    bins = Bins.of([5.0] * 300)

    assert counts(bins, [5.0] * 300) == [0, 300, 0]
    assert counts(bins, [4.9, 5.1]) == [1, 0, 1]


def test_a_constant_rounded_to_a_float32_is_still_in_its_bin() -> None:
    assert counts(Bins.of([0.1] * 300), [0.10000000149011612]) == [0, 1, 0]


def test_a_flags_values_have_bins_of_their_own_and_a_new_value_shows_even_grouped() -> None:
    values = [0.0, 1.0] * 100
    bins = Bins.of(values)
    boundaries = bins.grouped(counts(bins, values))

    assert merged(counts(bins, values), boundaries) == [0, 100, 0, 100, 0]
    assert merged(counts(bins, [-1.0, 0.5, 2.0]), boundaries) == [1, 0, 1, 0, 1]


def test_a_spike_is_apart_from_what_is_next_to_it() -> None:
    values = [0.0] * 600 + [x / 1000 for x in range(1, 401)]
    bins = Bins.of(values)

    assert counts(bins, values)[bins.index(0.0)] == 600
    assert bins.index(0.0) != bins.index(0.0005)


def test_no_values_make_one_bin() -> None:
    assert Bins.of([nan, inf, -inf]).edges == ()
    assert len(Bins.of([])) == 1


@pytest.mark.parametrize("edges", [(1.0, 1.0), (2.0, 1.0), (nan,), (inf,)])
def test_edges_that_do_not_increase_are_refused(edges: tuple[float, ...]) -> None:
    with pytest.raises(ProfileError, match="edge"):
        Bins(edges)


@given(st.lists(numbers | st.sampled_from([0.0, 1.0, 1.5])), st.integers(2, 30))
def test_any_values_make_bins_that_hold_all_of_them(values: list[float], most: int) -> None:
    bins = Bins.of(values, most)

    assert len(bins) <= most or len(bins) == 3
    assert sum(counts(bins, values)) == len(values)
    assert bins == Bins.of(values[::-1], most)


@given(st.lists(numbers, min_size=200, max_size=400, unique=True))
def test_without_ties_bins_are_as_even_as_they_can_be(values: list[float]) -> None:
    assert {len(values) // 10, -(-len(values) // 10)} >= set(counts(Bins.of(values, 10), values))


@given(st.lists(st.integers(0, 50), min_size=13, max_size=100))
def test_groups_are_never_empty_and_hold_everything(masses: list[int]) -> None:
    boundaries = Bins(tuple(float(i) for i in range(len(masses) - 1))).grouped(masses)

    assert boundaries[0] == 0
    assert boundaries[-1] == len(masses)
    assert all(low < high for low, high in pairwise(boundaries))
    assert sum(merged(masses, boundaries)) == sum(masses)
    assert sum(masses) == 0 or all(merged(masses, boundaries))
    assert len(boundaries) <= 11


def test_groups_of_a_hundred_even_bins_hold_ten_each() -> None:
    assert Bins(tuple(float(i) for i in range(99))).grouped([7] * 100) == list(range(0, 101, 10))


def test_a_boundary_is_where_the_mass_is_closest() -> None:
    assert Bins((1.0, 2.0, 3.0, 4.0)).grouped([48, 30, 10, 10, 2], most=2) == [0, 1, 5]
    assert Bins((1.0, 2.0, 3.0, 4.0)).grouped([30, 22, 28, 10, 10], most=2) == [0, 2, 5]


def test_counts_of_other_bins_are_not_grouped() -> None:
    with pytest.raises(ProfileError, match="one for each bin"):
        Bins((1.0,)).grouped([1, 2, 3])
