"""Tallies: what they count, and the laws of merging them."""

import statistics
from collections import Counter
from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.monitoring.profile.bins import Bins
from lambdas.monitoring.profile.document import parsed, written
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.tallies import RARE, CategoryTally, NumberTally, add_tally, tally_of

BINS = Bins((-1.0, 0.0, 0.5, 2.0, 8.0))
usual = st.none() | st.floats(-1e6, 1e6) | st.sampled_from([nan, inf, -inf, 0.0, 0.5])
any_number = st.none() | st.floats()
levels = st.none() | st.sampled_from(["a", "b", "c", "d", "zz"]) | st.text(max_size=3)


def tally(values: list[float | None]) -> NumberTally:
    made = NumberTally(BINS)
    made.add_many(values)
    return made


def exact(made: NumberTally) -> tuple[object, ...]:
    return made.counts, made.missing, made.not_finite, made.rows, made.minimum, made.maximum


def categories(values: list[str | None]) -> CategoryTally:
    made = CategoryTally(("a", "b"), ("c",))
    made.add_many(values)
    return made


@given(st.lists(usual))
def test_moments_are_those_of_the_finite_values(values: list[float | None]) -> None:
    finite = [v for v in values if v is not None and isfinite(v)]
    made = tally(values)

    assert made.finite == len(finite)
    assert made.missing == values.count(None)
    assert made.rows == len(values)
    if finite:
        assert made.mean == pytest.approx(statistics.fmean(finite), abs=1e-6)
        assert made.m2 == pytest.approx(statistics.pvariance(finite) * len(finite), rel=1e-6, abs=1e-3)
        assert (made.minimum, made.maximum) == (min(finite), max(finite))


@given(st.lists(any_number, max_size=40))
def test_adding_many_is_adding_each(values: list[float | None]) -> None:
    one = NumberTally(BINS)
    for value in values:
        one.add(value)

    assert exact(tally(values)) == exact(one)


@given(st.lists(usual), st.lists(usual), st.lists(usual))
def test_number_tallies_merge_in_any_order_and_parts_make_the_whole(
    a: list[float | None], b: list[float | None], c: list[float | None]
) -> None:
    left = tally(a).merge(tally(b)).merge(tally(c))
    right = tally(a).merge(tally(b).merge(tally(c)))
    whole = tally(a + b + c)

    assert exact(left) == exact(right) == exact(whole) == exact(tally(c).merge(tally(b)).merge(tally(a)))
    assert tally(a).merge(tally(b)) == tally(b).merge(tally(a))
    if whole.mean is not None:
        assert left.mean == pytest.approx(whole.mean, abs=1e-6)
        assert left.m2 == pytest.approx(whole.m2, rel=1e-6, abs=1e-3)


@given(st.lists(any_number))
def test_a_number_tally_survives_json_exactly(values: list[float | None]) -> None:
    made = tally(values)
    text = written(made.to_json())

    assert tally_of(parsed(text, "tally")) == made
    assert written(tally_of(parsed(text, "tally")).to_json()) == text


@given(st.lists(usual), st.lists(usual))
def test_counts_of_another_engine_add_up_to_the_same(a: list[float | None], b: list[float | None]) -> None:
    other, into = tally(b), tally(a)
    into.add_counts(
        other.counts,
        missing=other.missing,
        not_finite=other.not_finite,
        mean=other.mean,
        m2=other.m2,
        minimum=other.minimum,
        maximum=other.maximum,
    )

    assert exact(into) == exact(tally(a + b))
    if into.mean is not None:
        assert into.mean == pytest.approx(tally(a + b).mean, abs=1e-6)
        assert into.m2 == pytest.approx(tally(a + b).m2, rel=1e-6, abs=1e-3)


def test_the_variance_of_values_far_from_zero_keeps_its_digits() -> None:
    made = NumberTally(Bins((1e9, 1e9 + 1)))
    made.add_many([1e9, 1e9 + 1, 1e9 + 2])

    assert made.m2 == pytest.approx(2.0, rel=1e-12)


def test_numbers_too_large_to_add_up_leave_the_counts() -> None:
    made = tally([1e308, 1e308, -1e308, 1e200])

    assert made.counts == [1, 0, 0, 0, 0, 3]
    assert made.m2 is None
    assert tally_of(parsed(written(made.to_json()), "tally")) == made


@pytest.mark.parametrize("other", [NumberTally(Bins((1.0,))), CategoryTally(("a",))])
def test_what_was_counted_differently_is_not_merged(other: NumberTally | CategoryTally) -> None:
    with pytest.raises(ProfileError, match="cannot be merged"):
        add_tally(tally([1.0]), other, "columns.x")
    with pytest.raises(ProfileError, match="cannot be merged"):
        add_tally(categories(["a"]), other, "columns.x")


def test_counts_for_other_bins_are_refused() -> None:
    with pytest.raises(ProfileError, match="there must be 6"):
        tally([]).add_counts([1, 2])


def test_levels_are_counted_as_known_rare_unseen_or_missing() -> None:
    made = categories(["a", "a", "b", "c", "new", "new", "other", None])

    assert made.counts == {"a": 2, "b": 1, RARE: 1}
    assert (made.missing, made.unseen_rows, dict(made.unseen)) == (1, 3, {"new": 2, "other": 1})
    assert made.rows == 8
    assert (made.level("c"), made.level("b"), made.level("new")) == (RARE, "b", None)


def test_nothing_is_unseen_in_a_column_whose_new_levels_are_normal() -> None:
    made = CategoryTally(("a",), open_ended=True)
    made.add_many(["a", "id-1", "id-2"])

    assert made.counts == {"a": 1, RARE: 2}
    assert made.unseen_rows == 0


@given(st.lists(levels))
def test_adding_levels_one_by_one_or_counted_is_the_same(values: list[str | None]) -> None:
    one = CategoryTally(("a", "b"), ("c",))
    for value in values:
        one.add(value)

    assert categories(values) == one
    assert one.rows == len(values)


@given(st.lists(levels), st.lists(levels), st.lists(levels))
def test_category_tallies_merge_in_any_order_and_parts_make_the_whole(
    a: list[str | None], b: list[str | None], c: list[str | None]
) -> None:
    whole = categories(a + b + c)

    assert categories(a).merge(categories(b)).merge(categories(c)) == whole
    assert categories(c).merge(categories(b).merge(categories(a))) == whole


@given(st.lists(levels))
def test_a_category_tally_survives_json_exactly(values: list[str | None]) -> None:
    made = categories(values)

    assert tally_of(parsed(written(made.to_json()), "tally")) == made


@given(st.permutations([str(i) for i in range(120)] * 2), st.integers(0, 240))
def test_the_unseen_shown_are_exact_however_many_there_are(values: list[str], cut: int) -> None:
    made = categories(list(values[:cut])).merge(categories(list(values[cut:])))

    assert made.unseen_rows == len(values)
    assert dict(made.unseen) == dict(sorted(Counter(values).items())[:50])
    assert made == categories(list(values))
