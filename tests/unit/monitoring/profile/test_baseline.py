"""The baseline's file: exact, small, the same for the same rows; merged and versioned."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.bins import Bins
from lambdas.monitoring.profile.build import build
from lambdas.monitoring.profile.columns import Column, Schema
from lambdas.monitoring.profile.document import parsed, written
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.quality import OutputRoles, Quality
from lambdas.monitoring.profile.references import CategoryReference, NumberReference
from lambdas.monitoring.profile.tallies import CategoryTally, NumberTally

BINS = Bins((0.0, 1.0))
Rows = list[tuple[float | None, str | None]]
rows = st.lists(
    st.tuples(st.none() | st.sampled_from([-1.0, 0.25, 0.5, 4.0]), st.none() | st.sampled_from("abc")), max_size=30
)
# Sums of these numbers are exact in any order, so that merging can be compared bit by bit.
qualities = st.none() | st.builds(
    lambda right, brier, chunks: Quality(right / 64, brier / 64, 64, tuple(chunk / 64 for chunk in chunks)),
    st.integers(0, 64),
    st.integers(0, 64),
    st.lists(st.integers(0, 64), max_size=3),
)


def part(values: Rows, quality: Quality | None, key: int) -> Baseline:
    numbers, levels = NumberTally(BINS), CategoryTally(("a", "b"))
    numbers.add_many([number for number, _ in values])
    levels.add_many([level for _, level in values])
    return Baseline(
        model_version="1.0.0",
        created_at=f"2026-01-{1 + key:02}T00:00:00Z",
        rows=len(values),
        columns={"x": NumberReference(BINS, numbers), "c": CategoryReference(levels.known, levels)},
        outputs={},
        quality=quality,
        sample=tuple(values),
        sample_keys=tuple(1000 * key + line for line in range(len(values))),
    )


def test_the_file_is_read_as_it_was_written(baseline: Baseline) -> None:
    read = Baseline.of_text(baseline.text())

    assert read == baseline
    assert read.text() == baseline.text()
    assert read.id == baseline.id
    assert list(read.columns) == ["pressure", "wind", "rain"]


def test_the_same_rows_give_the_same_bytes(make_baseline: Callable[..., Baseline]) -> None:
    assert make_baseline(300, 5).text() == make_baseline(300, 5).text()
    assert make_baseline(300, 5).id != make_baseline(300, 6).id


def test_eight_columns_fit_into_a_small_file() -> None:
    chance = random.Random(2)
    columns = {f"feature_{i}": [chance.gauss(0, 1) for _ in range(5000)] for i in range(8)}
    schema = Schema(tuple(Column(name, "number") for name in columns))
    made = build(schema, columns, {}, None, OutputRoles(), "1", "2026-01-01T00:00:00Z")

    assert len(made.sample) == 1000
    assert len(made.text()) < 140_000


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(rows, rows, rows, qualities, qualities, qualities)
def test_baselines_merge_in_any_order_and_parts_make_the_whole(
    a: Rows, b: Rows, c: Rows, first: Quality | None, second: Quality | None, third: Quality | None
) -> None:
    x, y, z = part(a, first, 1), part(b, second, 2), part(c, third, 3)
    merged = x.merge(y).merge(z)

    assert merged.rows == len(a + b + c)
    assert merged.columns == part(a + b + c, None, 1).columns
    assert without_brier(merged) == without_brier(x.merge(y.merge(z))) == without_brier(z.merge(x).merge(y))
    if first and second and third:
        assert merged.quality is not None
        assert merged.quality.accuracy == pytest.approx((first.accuracy + second.accuracy + third.accuracy) / 3)
        assert merged.quality.brier == pytest.approx(sum(q.brier or 0 for q in (first, second, third)) / 3)
    assert Baseline.of_text(merged.text()) == merged


def without_brier(made: Baseline) -> Baseline:
    return replace(made, quality=made.quality and replace(made.quality, brier=None))


def test_merging_leaves_the_parts_as_they_were(make_baseline: Callable[..., Baseline]) -> None:
    one = part([(0.5, "a")], None, 1)
    before = one.text()
    one.merge(one)

    assert one.text() == before


@pytest.mark.parametrize(
    "change", [{"model_version": "2.0.0"}, {"output_roles": OutputRoles(threshold=0.7)}, {"columns": {}}]
)
def test_baselines_of_different_models_are_not_merged(change: dict[str, object]) -> None:
    one = part([], None, 1)

    with pytest.raises(ProfileError, match="build one baseline instead"):
        one.merge(replace(one, **change))  # type: ignore[arg-type]


def test_a_later_version_of_the_structure_is_refused_with_what_to_do(baseline: Baseline) -> None:
    later = written({**baseline.to_json(), "schema_version": 2})

    with pytest.raises(
        ProfileError, match=r"baseline\.schema_version is 2: this release reads version 1; use the release"
    ):
        Baseline.of_text(later)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": True}, r"baseline\.rows is True: it must be a whole number"),
        ({"rows": -1}, r"baseline\.rows is -1: it must be a whole number"),
        ({"model_version": None}, r"baseline\.model_version is None: it must be text"),
        ({"output_roles": {"probability": "q", "prediction": None, "threshold": 0.5}}, "no such output; name one of"),
        ({"calibration": {"xs": [0.1], "ys": [1.5]}}, r"calibration\.ys"),
        ({"quality": {"accuracy": 2, "brier": None, "rows": 1, "chunk_accuracies": []}}, "within 0..1"),
        ({"columns": [{"name": "x", "kind": "date"}]}, r"baseline\.columns\[0\]\.kind is 'date'"),
        ({"sample": {"size": 5, "keys": [1], "rows": [[1, 2]]}}, r"baseline\.sample"),
    ],
)
def test_a_malformed_field_is_named(baseline: Baseline, change: dict[str, object], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        Baseline.from_json(parsed(written({**baseline.to_json(), **change}), "baseline"))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe\xfa", '{"rows": NaN}', "[" * 100_000])
def test_what_is_not_json_is_said_to_be_none(text: str | bytes) -> None:
    with pytest.raises(ProfileError, match="this is not JSON"):
        Baseline.of_text(text)


def test_a_missing_field_is_named(baseline: Baseline) -> None:
    document = baseline.to_json()
    del document["columns"]

    with pytest.raises(ProfileError, match=r"baseline\.columns is None: the field is missing"):
        Baseline.from_json(document)
