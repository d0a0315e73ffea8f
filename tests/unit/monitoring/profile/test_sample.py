"""The sample: uniform, the same however the rows come, and merged by weight."""

from hypothesis import given
from hypothesis import strategies as st

from lambdas.monitoring.profile.document import parsed, written
from lambdas.monitoring.profile.sample import ANY_KEY, Sample, place_of, row_key

offers = st.lists(st.tuples(st.integers(0, 50), st.tuples(st.none() | st.floats() | st.text(max_size=3))), max_size=40)
Offers = list[tuple[int, tuple[float | str | None]]]


def sample(rows: Offers, size: int = 5) -> Sample:
    made = Sample(size)
    for key, row in rows:
        made.offer(key, row)
    return made


@given(offers, offers, offers, st.randoms())
def test_samples_merge_in_any_order_and_parts_make_the_whole(a: Offers, b: Offers, c: Offers, chance: object) -> None:
    whole = sample(a + b + c)
    shuffled = a + b + c
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    assert sample(a).merge(sample(b)).merge(sample(c)) == whole
    assert sample(c).merge(sample(b).merge(sample(a))) == whole
    assert sample(shuffled) == whole
    assert Sample.from_json(parsed(written(whole.to_json()), "sample")) == whole


def test_parts_are_drawn_from_by_their_number_of_rows() -> None:
    small, large = Sample(), Sample()
    for row in range(2_000):
        small.offer(row_key(place_of("a"), row), ("small",))
    for row in range(18_000):
        large.offer(row_key(place_of("b"), row), ("large",))
    drawn = [row[0] for row in small.merge(large).rows]

    assert len(drawn) == 1000
    assert 60 < drawn.count("small") < 140  # 100 expected, with a standard deviation of 9.2


def test_keys_are_spread_evenly_and_depend_on_the_place() -> None:
    place = place_of("capture/file.jsonl")
    keys = [row_key(place, line, row) for line in range(2_000) for row in range(5)]

    assert len(set(keys)) == len(keys)
    assert all(0 <= key < ANY_KEY for key in keys)
    assert abs(sum(keys) / len(keys) / ANY_KEY - 0.5) < 0.015  # five standard deviations
    assert row_key(place, 3) != row_key(place_of("capture/other.jsonl"), 3)
    assert place_of("a", 1) != place_of("a", 2)


def test_the_key_of_a_row_never_changes() -> None:
    assert row_key(0, 0) == 0xE220A8397B1DCDAF >> 11  # SplitMix64's first output for the seed 0


def test_kept_rows_are_short() -> None:
    made = sample([(1, (1.23456789,)), (2, ("x" * 500,)), (3, (float("nan"),))])

    assert made.rows == ((1.234568,), ("x" * 100,), (None,))


def test_rows_above_the_limit_need_not_be_offered() -> None:
    made = sample([(key, (None,)) for key in range(10)], size=3)

    assert made.limit == 2
    assert made.keys == (0, 1, 2)
