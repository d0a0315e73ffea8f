"""What makes two inputs the same."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lambdas.inference.canonical import canonical, input_hash
from lambdas.inference.signature import Signature

COLUMNS = [
    {"name": "a", "dtype": "float32", "allow_missing": True},
    {"name": "b", "dtype": "int64"},
    {"name": "colour", "dtype": "int64", "categories": ["1", "red", "null"], "allow_missing": True},
]
TABLE = Signature.from_document({"schema": 1, "tensor": "x", "columns": COLUMNS})
IMAGE = Signature.from_document({"schema": 1, "tensor": "x", "row_shape": [2, 3], "allow_missing": True})
NUMBERS = st.integers(-(2**60), 2**60) | st.floats(-1e30, 1e30)
ROWS = st.lists(
    st.tuples(NUMBERS | st.none(), st.integers(-(2**60), 2**60), st.sampled_from(["1", "red", "null", None])).map(list),
    min_size=1,
    max_size=4,
)
IMAGES = st.lists(
    st.lists(st.lists(NUMBERS | st.none(), min_size=3, max_size=3), min_size=2, max_size=2), min_size=1, max_size=3
)


def otherwise(value: Any, draw: st.DataObject) -> Any:
    """Write the same value in another way, if there is one."""
    if isinstance(value, list):
        return [otherwise(each, draw) for each in value]
    if isinstance(value, int | float) and value == 0:
        return draw.draw(st.sampled_from([0, 0.0, -0.0]))
    if isinstance(value, int) and float(value) == value:
        return draw.draw(st.sampled_from([value, float(value)]))
    if isinstance(value, float) and value.is_integer():
        return draw.draw(st.sampled_from([value, int(value)]))
    return value


@settings(deadline=None)
@given(ROWS, st.data())
def test_the_same_rows_have_the_same_hash_however_they_are_written(rows: list[list[Any]], data: st.DataObject) -> None:
    written = otherwise(rows, data)
    names = [str(each["name"]) for each in COLUMNS]
    order = data.draw(st.permutations(range(len(names))))
    records = [{names[place]: row[place] for place in order} for row in written]
    mixed = [data.draw(st.sampled_from(pair)) for pair in zip(written, records, strict=True)]

    assert input_hash(TABLE.check(mixed)) == input_hash(TABLE.check(rows))
    assert json.loads(canonical(TABLE.check(rows))) == TABLE.check(rows)


@settings(deadline=None)
@given(ROWS, st.permutations(COLUMNS), st.data())
def test_the_same_rows_have_the_same_hash_under_every_order_of_columns(
    rows: list[list[Any]], others: list[dict[str, Any]], data: st.DataObject
) -> None:
    other = Signature.from_document({"schema": 1, "tensor": "x", "columns": others})
    records = [dict(zip(TABLE.names or (), row, strict=True)) for row in rows]
    changed = data.draw(st.just(records) | st.lists(st.sampled_from(records), min_size=1, max_size=4))

    by_one = input_hash(TABLE.check(records), TABLE.names)
    by_other = input_hash(other.check(changed), other.names)

    assert (by_one == by_other) == (TABLE.check(records) == TABLE.check(changed))


@pytest.mark.parametrize("columns", [None, ("a", "c"), ("b", "a"), ("ab", ""), ('a","b', "")])
def test_the_same_values_in_other_columns_are_another_input(columns: tuple[str, ...] | None) -> None:
    assert input_hash([[1.0, 2.0]], columns) != input_hash([[1.0, 2.0]], ("a", "b"))


@settings(deadline=None)
@given(IMAGES, st.data())
def test_the_same_tensors_have_the_same_hash(images: list[Any], data: st.DataObject) -> None:
    assert input_hash(IMAGE.check(otherwise(images, data))) == input_hash(IMAGE.check(images))


@settings(deadline=None)
@given(ROWS, ROWS)
def test_different_rows_have_different_hashes(left: list[Any], right: list[Any]) -> None:
    left, right = TABLE.check(left), TABLE.check(right)
    assume(left != right)

    assert input_hash(left) != input_hash(right)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


def same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are the same, as JSON sees it: true is not 1."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


@settings(deadline=None)
@given(st.lists(VALUES, max_size=3), st.data())
def test_what_no_signature_has_checked_is_told_apart_too(left: list[Any], data: st.DataObject) -> None:
    right = data.draw(st.just(deepcopy(left)) | st.lists(VALUES, max_size=3))

    assert (canonical(left) == canonical(right)) == same(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([[1]], [[True]]),
        ([["1"]], [[1]]),
        ([[None]], [["null"]]),
        ([[1, 2]], [[12]]),
        ([[1], [2]], [[1, 2]]),
        ([["a,b"]], [["a", "b"]]),
        ([[2**53]], [[2**53 + 1]]),
        ([[10**400]], [[10**401]]),
        ([[]], []),
    ],
)
def test_what_is_alike_is_not_the_same(left: list[Any], right: list[Any]) -> None:
    assert input_hash(left) != input_hash(right)


def test_a_hash_does_not_change_between_releases() -> None:
    assert input_hash([[1, -0.0, "ü", None], {"b": 2.5, "a": 0}]) == input_hash(
        [[1.0, 0, "ü", None], {"a": 0.0, "b": 2.5}]
    )
    assert canonical([[1, -0.0, "ü", None], {"b": 2.5, "a": 0}]) == b'[[1.0,0.0,"\\u00fc",null],{"a":0.0,"b":2.5}]'
    named = b'{"columns":["a","b"],"rows":[[2.0,null],["x",1.0]]}'
    assert canonical([[None, 2], [1, "x"]], ("b", "a")) == canonical([[2.0, None], ["x", 1]], ["a", "b"]) == named
    assert canonical([[-0.0]], ("a",)) == b'{"columns":["a"],"rows":[[0.0]]}'
