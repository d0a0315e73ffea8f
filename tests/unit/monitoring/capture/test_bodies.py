"""Bodies of requests and answers as rows, or a reason."""

import json
import math
from typing import Any

import pytest

from lambdas.monitoring.capture.bodies import read_input, read_output
from lambdas.monitoring.capture.layout import Layout
from lambdas.monitoring.capture.reasons import UnreadableError
from lambdas.monitoring.capture.records import Part

MIXED = Layout(("pressure", "wind"), (True, False))
NUMBERS = Layout(("a", "b"), (True, True))


def rows(text: str, kind: str = "text/csv", layout: Layout = NUMBERS) -> list[list[Any]]:
    return [list(row) for row in read_input(Part(kind, text, "CSV"), layout).rows]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1,2", [[1.0, 2.0]]),
        ("1,2\r\n3,4\r\n", [[1.0, 2.0], [3.0, 4.0]]),
        ("b,a\n1,2", [[2.0, 1.0]]),
        (' 1 ,"2"\n', [[1.0, 2.0]]),
        ("1,\nnull,.5e1", [[1.0, None], [None, 5.0]]),
        ("b,c\n1,2", [[None, 1.0]]),
    ],
)
def test_csv(text: str, wanted: list[list[Any]]) -> None:
    assert rows(text) == wanted


@pytest.mark.parametrize("text", ["1,nan", "1,inf", "1,-Infinity", "x_1,nan\n"])
def test_what_is_not_finite_is_kept_apart_from_what_is_missing(text: str) -> None:
    layout = NUMBERS if not text.startswith("x") else MIXED
    if layout is MIXED:
        text = "nan,x_1"
    [row] = rows(text, layout=layout)
    assert not all(math.isfinite(cell) for cell in row if isinstance(cell, float))
    assert None not in row


def test_columns_that_the_model_does_not_know_are_named() -> None:
    table = read_input(Part("text/csv", "a,b,c\n1,2,3", "CSV"), NUMBERS)
    assert (table.unknown, table.rows) == (("c",), [[1.0, 2.0]])
    table = read_input(Part("application/json", '[{"a": 1, "d": 2}]', "JSON"), NUMBERS)
    assert (table.unknown, table.records(NUMBERS)) == (("d",), [{"a": 1.0, "b": None}])


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [[1, "n"], [None, "s"]]},
        [[1, "n"], [None, "s"]],
        [{"wind": "n", "pressure": 1}, {"wind": "s", "pressure": None}],
        {"columns": {"wind": ["n", "s"], "pressure": [1, None]}},
    ],
)
def test_json(body: Any) -> None:
    assert rows(json.dumps(body), "application/json", MIXED) == [[1.0, "n"], [None, "s"]]


def test_json_lines() -> None:
    assert rows('[1, 2]\n\n{"b": 4, "a": 3}\n', "application/jsonlines") == [[1.0, 2.0], [3.0, 4.0]]


def test_categories_have_one_name() -> None:
    assert rows('[[1, 2], [1, 2.0], [1, true], [1, "x"]]', "application/json", MIXED) == [
        [1.0, "2"],
        [1.0, "2"],
        [1.0, "true"],
        [1.0, "x"],
    ]


def test_answers_are_read_by_name_or_in_order() -> None:
    outputs = Layout(("probability", "rain"), (True, True))
    named = Part("application/json", '{"predictions": [{"rain": 1, "probability": 0.7}]}', "JSON")
    assert [list(row) for row in read_output(named, outputs).rows] == [[0.7, 1.0]]
    assert [list(row) for row in read_output(Part("text/csv", "0.7,1\n", "CSV"), outputs).rows] == [[0.7, 1.0]]
    bare = Part("application/json", '{"predictions": [0.7, 0.2]}', "JSON")
    assert [list(row) for row in read_output(bare, Layout(("p",), (True,))).rows] == [[0.7], [0.2]]


@pytest.mark.parametrize(
    ("reason", "text", "kind"),
    [
        ("wrong_width", "1,2,3", "text/csv"),
        ("wrong_width", "1,2\n1", "text/csv"),
        ("wrong_width", "[[1]]", "application/json"),
        ("not_a_number", "1,abc", "text/csv"),
        ("not_a_number", "1,1_000", "text/csv"),
        ("not_a_number", "١,2", "text/csv"),
        ("not_a_number", "[[1, true]]", "application/json"),
        ("not_a_number", '[[1, "2"]]', "application/json"),
        ("not_a_number", f"[[1, 1{'0' * 400}]]", "application/json"),
        ("wrong_form", '1,"2', "text/csv"),
        ("wrong_form", "a,a\n1,2", "text/csv"),
        ("wrong_form", "{", "application/json"),
        ("wrong_form", "[" * 100_000, "application/json"),
        ("wrong_form", "[1, 2]", "application/json"),
        ("wrong_form", '{"columns": {"a": [1], "b": []}}', "application/json"),
        ("wrong_form", "[1, 2]\n{", "application/jsonlines"),
        ("no_rows", "", "text/csv"),
        ("no_rows", "a,b\n", "text/csv"),
        ("no_rows", "[]", "application/json"),
        ("unsupported_content_type", "x", "application/x-npy"),
        ("unsupported_content_type", "x", ""),
    ],
)
def test_what_cannot_be_read_has_a_reason(reason: str, text: str, kind: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        rows(text, kind)
    assert caught.value.reason == reason
    assert caught.value.why
