"""The cheapest split of rows into buckets, against all splits there are."""

from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model_containers.serving.serving.device.buckets import Splits, sizes

MOST = 12
costs = st.dictionaries(
    st.integers(1, MOST), st.floats(1e-5, 1.0, allow_nan=False).map(lambda each: round(each, 5)), min_size=1, max_size=5
)


def every_split(rows, buckets):
    """Return all multisets of buckets that hold these rows, none of whose members could be left out."""

    @cache
    def ways(left, largest):
        if left <= 0:
            return ((),)
        return tuple((size, *rest) for size in buckets if size <= largest for rest in ways(left - size, size))

    return ways(rows, max(buckets))


@given(costs)
def test_split_costs_what_the_cheapest_of_all_splits_costs(seconds):
    buckets = sorted(seconds)
    splits = Splits(buckets, [seconds[each] for each in buckets])

    for rows in range(1, max(buckets) + 1):
        cheapest = min(sum(seconds[size] for size in way) for way in every_split(rows, buckets))
        assert sum(seconds[size] for size in splits.split(rows)) == pytest.approx(cheapest, abs=1e-9)
        assert splits.seconds(rows) == pytest.approx(cheapest, abs=1e-9)


@given(costs)
def test_split_holds_all_rows_and_only_its_last_run_has_padding(seconds):
    buckets = sorted(seconds)
    splits = Splits(buckets, [seconds[each] for each in buckets])

    for rows in range(1, max(buckets) + 1):
        chosen = splits.split(rows)
        assert set(chosen) <= set(buckets)
        assert list(chosen) == sorted(chosen, reverse=True)
        assert sum(chosen[:-1]) < rows <= sum(chosen)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ((1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6), (64,)),
        ((0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4), (32, 1)),
    ],
)
def test_thirty_three_rows_are_padded_where_that_is_cheaper(seconds, expected):
    assert Splits(sizes(64), seconds).split(33) == expected


@given(st.dictionaries(st.integers(1, MOST), st.integers(1, 3).map(float), min_size=1, max_size=5))
@example({2: 3.0, 4: 1.0, 5: 1.0, 9: 1.0, 12: 4.0})
def test_of_equal_costs_the_fewest_runs_and_then_the_least_padding_win(seconds):
    buckets = sorted(seconds)
    splits = Splits(buckets, [seconds[each] for each in buckets])

    def rank(way):
        return sum(seconds[size] for size in way), len(way), sum(way)

    for rows in range(1, max(buckets) + 1):
        assert rank(splits.split(rows)) == min(map(rank, every_split(rows, buckets)))


def test_equal_costs_are_split_into_the_fewest_runs_with_the_least_padding():
    assert Splits((1, 2, 4), (1.0, 2.0, 3.0)).split(3) == (4,)
    assert Splits((1, 2, 3, 4), (1.0, 1.0, 2.0, 2.0)).split(3) == (3,)


def test_sizes_are_powers_of_two_and_the_largest():
    assert sizes(64) == (1, 2, 4, 8, 16, 32, 64)
    assert sizes(48) == (1, 2, 4, 8, 16, 32, 48)
    assert sizes(1) == (1,)


@pytest.mark.parametrize(("buckets", "seconds"), [((), ()), ((1, 2), (0.1,)), ((1,), (0.0,)), ((1,), (float("nan"),))])
def test_buckets_without_a_time_are_refused(buckets, seconds):
    with pytest.raises(ValueError, match="needed is a time above 0"):
        Splits(buckets, seconds)


@pytest.mark.parametrize("rows", [0, 65])
def test_rows_that_no_bucket_holds_are_refused(rows):
    with pytest.raises(ValueError, match=f"{rows} rows; allowed is 1 to 64"):
        Splits(sizes(64), [1.0] * 7).split(rows)
