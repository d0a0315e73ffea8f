"""A model's signature: what it says of refused input, and its JSON Schema."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lambdas.inference.column import Column
from lambdas.inference.openapi import signature_in
from lambdas.inference.problems import Problem
from lambdas.inference.signature import Signature
from lambdas.rollout.errors import PermanentError
from tests.unit.inference.test_signature_of_container import cases

RAIN = Path(__file__).parents[3] / "model_containers" / "bootstrap" / "rain" / "model.tar.gz"
FIELDS: dict[str, Any] = {
    "schema": 1,
    "tensor": "x",
    "columns": [
        {"name": "dew_point", "dtype": "float32", "minimum": -233, "maximum": 285},
        {"name": "station", "dtype": "int64", "categories": ["north", "south"], "allow_missing": True},
        {"name": "count", "dtype": "int64", "categories": [1, 2]},
    ],
    "outputs": [{"name": "probability", "tensor": "p"}],
}
MODEL = Signature.from_document(FIELDS)
IMAGE = Signature.from_document({"schema": 1, "tensor": "image", "row_shape": [2, 2], "minimum": 0, "maximum": 1})


def refused(instances: list[Any], model: Signature = MODEL) -> Problem:
    with pytest.raises(Problem) as raised:
        model.check(instances)
    assert (raised.value.slug, raised.value.status) == ("invalid-input", 422)
    return raised.value


def test_records_become_rows_in_the_columns_order() -> None:
    record = {"count": 2, "station": "south", "dew_point": 12}

    assert MODEL.check([record, [12, None, 1]]) == [[12.0, "south", 2.0], [12.0, None, 1.0]]
    assert all(type(value) is float for value in MODEL.check([[12, None, 1]])[0] if value is not None)


def test_tensors_keep_their_shape() -> None:
    assert IMAGE.check([[[0, 1], [0.5, 0]]]) == [[[0.0, 1.0], [0.5, 0.0]]]


@pytest.mark.parametrize(
    ("row", "column", "value", "said"),
    [
        ([999, "north", 1], "dew_point", 999.0, "999 is above the greatest value allowed, 285; check its unit"),
        ([-234, "north", 1], "dew_point", -234.0, "-234 is below the least value allowed, -233"),
        ([None, "north", 1], "dew_point", None, "the value is missing; send a number"),
        ([True, "north", 1], "dew_point", True, "true is not a number; send one, such as 12.5"),
        (["12.5", "north", 1], "dew_point", "12.5", '"12.5" is not a number'),
        ([1, "west", 1], "station", "west", "\"west\" is not one of the categories: 'north', 'south'"),
        ([1, 0, 1], "station", 0, "0 is not one of the categories: 'north', 'south'"),
        ([1, "north", 3], "count", 3.0, "3 is not one of the categories: 1, 2"),
    ],
)
def test_a_refused_value_is_named_with_what_is_allowed(row: list[Any], column: str, value: Any, said: str) -> None:
    problem = refused([[0, "north", 1], row])
    (error,) = problem.errors

    assert (error["row"], error["column"]) == (2, column)
    assert (error["value"], type(error["value"])) == (value, type(value))
    assert error["detail"].startswith(said)
    assert problem.detail.startswith(f"row 2, column '{column}': {said}")


def test_a_number_beyond_all_floats_is_refused_in_json() -> None:
    (error,) = refused([[10**400, "north", 1]]).errors

    assert json.dumps(error, allow_nan=False)
    assert "value" not in error


def test_a_bound_is_as_wide_as_the_containers() -> None:
    most, least = Column("odds", "float32", maximum=0.1), Column("odds", "float32", minimum=0.7)

    assert [most.takes(value) for value in (0.1, 0.10000000149, 0.1000001)] == [True, True, False]
    assert [least.takes(value) for value in (0.7, 0.69999998808, 0.6999999)] == [True, True, False]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([1, "north"], "row 1: the row has 2 columns; send dew_point, station, count"),
        (5, "row 1: the row is 5; send a list of 3 values, or an object of columns"),
        ({"dew_point": 1, "station": "north"}, "row 1, column 'count': the column is missing"),
        (
            {"dew_point": 1, "station": "north", "count": 1, "x": 1},
            "row 1, column 'x': the model does not take it",
        ),
    ],
)
def test_a_row_of_another_form_is_refused(row: Any, said: str) -> None:
    assert refused([row]).detail.startswith(said)


def test_all_missing_and_unknown_columns_are_named() -> None:
    errors = refused([{"dew_point": 1, "x": 1, "y": 2}]).errors

    assert [each["column"] for each in errors] == ["station", "count", "x", "y"]


def test_values_of_a_tensor_are_named_by_their_index() -> None:
    problem = refused([[[0, 1], [0, 1]], [[0, 1], [7, 0]]], IMAGE)

    assert (problem.errors[0]["row"], problem.errors[0]["column"]) == (2, "image[1, 0]")
    assert "of the shape [2, 2]" in refused([[[0, 1]]], IMAGE).detail


def test_ten_errors_are_named_and_the_rest_counted() -> None:
    problem = refused([[999, "north", 1]] * 25)

    assert [each["row"] for each in problem.errors] == list(range(1, 11))
    assert problem.detail.endswith("(and 24 more)")


@pytest.mark.parametrize("value", ["x" * 5000, 10**4000, [[1] * 500], {"a": "b" * 500}])
def test_a_long_value_is_not_sent_back_whole(value: Any) -> None:
    assert len(json.dumps(refused([[value, "north", 1]]).document("1"))) < 1000


def test_no_rows_are_refused() -> None:
    assert "at least one" in refused([]).detail


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"schema": None},
        {"columns": []},
        {"columns": None},
        {"columns": [{"name": "a"}]},
        {"columns": [{"name": "a", "dtype": "float64"}]},
        {"columns": [{"name": "a", "dtype": "float32", "most": 1}]},
        {"columns": [{"name": "a", "dtype": "float32"}] * 2},
        {"row_shape": [2]},
        {"row_shape": [0], "columns": []},
        {"row_shape": [], "columns": []},
        {"outputs": [{}]},
    ],
)
def test_a_signature_that_is_not_known_is_not_used(change: dict[str, Any]) -> None:
    with pytest.raises(PermanentError, match="signature cannot be used"):
        Signature.from_document(FIELDS | change)


@given(cases())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_schema_takes_what_is_taken(case: tuple[dict[str, Any], bytes]) -> None:
    fields, body = case
    model = Signature.from_document(fields)
    schema = model.json_schema()
    Draft202012Validator.check_schema(schema)
    try:
        content = json.loads(body, parse_constant=str)
    except ValueError:
        return
    try:
        model.check(content["instances"])
        taken = True
    except Problem:
        taken = False

    assert Draft202012Validator(schema).is_valid(content) == taken


@pytest.mark.parametrize(
    "body", [{}, [], {"instances": []}, {"instances": [[1, None, 1]], "x": 1}, {"instances": [[1, None, 1]] * 3}]
)
def test_the_schema_is_of_the_whole_body(body: Any) -> None:
    schema = Draft202012Validator(MODEL.json_schema(most_rows=2))

    assert not schema.is_valid(body)
    assert schema.is_valid({"instances": [[1, None, 1], {"dew_point": 1, "station": "north", "count": 2}]})


def test_the_models_that_are_shipped_can_be_read() -> None:
    model = signature_in(RAIN)

    assert model.check([[33.6, 28.7, 1023.8, 5.3, 5.7, 10.1, 34, 32]])
    assert model.outputs == ("probability", "rain")


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.1, 16777217.0, 1e-46]))
def test_a_bound_is_as_wide_as_a_32_bit_float(value: float, bound: float) -> None:
    column = {"name": "a", "dtype": "float32", "minimum": bound, "maximum": bound}
    model = Signature.from_document({"schema": 1, "tensor": "x", "columns": [column]})

    assert model.check([[bound]])
    if abs(value - bound) > abs(bound) / 1e6 + 1e-44:
        refused([[value]], model)


def test_a_label_is_found_among_many_at_once() -> None:
    labels = [f"label {number}" for number in range(20_000)]
    column = Column.of({"name": "station", "dtype": "int64", "categories": labels})
    began = time.process_time()
    for _ in range(10_000):
        column.read("label 19999")
    assert time.process_time() - began < 1
