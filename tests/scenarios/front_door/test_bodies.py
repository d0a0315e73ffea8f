"""Bodies that nobody should send: each is refused in words that say what is wrong with it, and where."""

import json
from typing import Any

import pytest

from tests.scenarios.front_door.door import JSON, ROW, Door
from tests.scenarios.front_door.doors import KILOBYTES, ROWS

NAMES = (
    "temperature",
    "dew_point",
    "sea_level_pressure",
    "visibility",
    "average_wind_speed",
    "max_sustained_wind_speed",
    "maximum_temperature",
    "minimum_temperature",
)
RECORD = dict(zip(NAMES, ROW, strict=True))
LIMIT = KILOBYTES * 1024
GATEWAYS_LIMIT = 10 * 1024 * 1024


def body(value: str) -> bytes:
    """Return a body whose second row has that text for its second value."""
    rest = ", ".join(map(str, ROW[2:]))
    return f'{{"instances": [{ROW}, [33.6, {value}, {rest}]]}}'.encode()


def padded(size: int) -> bytes:
    """Return a good body of so many bytes."""
    good = json.dumps({"instances": [ROW]}).encode()
    return good + b" " * (size - len(good))


def without(name: str) -> dict[str, float]:
    return {key: value for key, value in RECORD.items() if key != name}


NOT_JSON = {
    "nothing": (b"", "it is empty"),
    "spaces": (b" \n ", "it is empty"),
    "half": (b'{"instances": [[1', "line 1"),
    "text": (b"33.6,28.7", "line 1"),
    "NaN": (body("NaN"), "NaN is not a JSON value"),
    "Infinity": (body("Infinity"), "Infinity is not a JSON value"),
    "-Infinity": (body("-Infinity"), "-Infinity is not a JSON value"),
    "1e999": (body("1e999"), "1e999 is more than a 64-bit float holds"),
    "5000 digits": (body("9" * 5000), "too many digits"),
    "brackets": (b"[" * 100_000, "nested more than 64 levels"),
    "closed brackets": (b'{"instances": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", "nested more than 64 levels"),
    "braces": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested more than 64 levels"),
    "two keys": (b'{"instances": [[1]], "instances": [[2]]}', "'instances' comes twice"),
    "two columns": (b'{"instances": [{"visibility": 1, "visibility": 2}]}', "'visibility' comes twice"),
    "half a character": (body('"\\ud800"'), "half of a character"),
    "UTF-16": (json.dumps({"instances": [ROW]}).encode("utf-16"), "line 1"),
    "bytes": (b"\xff\xfe\xfd", "line 1"),
}


@pytest.mark.parametrize(("sent", "why"), NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_no_json_is_refused(keyed: Door, sent: bytes, why: str) -> None:
    answer = keyed.send("POST", "/predictions", sent, JSON | keyed.key("shop"))
    problem = answer.problem(400, "invalid-json")
    assert why in problem["detail"]
    assert len(answer.body) < 1000
    assert problem["instance"].endswith(answer.headers["Tidegate-Prediction-Id"])


MISSHAPEN = {
    "null": (b"null", "the body is not an object"),
    "a list": (b"[[1]]", "the body is not an object"),
    "no instances": (b"{}", "instances is missing"),
    "no list": (b'{"instances": 1}', "instances is no list"),
    "no row": (b'{"instances": []}', "instances is empty"),
    "a key of its own": (b'{"instances": [[1]], "__proto__": {}}', "'__proto__', which is not known"),
}


@pytest.mark.parametrize(("sent", "why"), MISSHAPEN.values(), ids=MISSHAPEN)
def test_what_has_no_instances_is_refused(keyed: Door, sent: bytes, why: str) -> None:
    problem = keyed.send("POST", "/predictions", sent, JSON | keyed.key("shop")).problem(422, "invalid-input")
    assert why in problem["detail"]
    assert "errors" not in problem


CELLS = {
    "a word": (body('"wet"'), {"row": 2, "column": "dew_point", "value": "wet"}),
    "null": (body("null"), {"row": 2, "column": "dew_point", "value": None}),
    "true": (body("true"), {"row": 2, "column": "dew_point", "value": True}),
    "a list": (body("[1]"), {"row": 2, "column": "dew_point"}),
    "too much": (body("285.1"), {"row": 2, "column": "dew_point", "value": 285.1}),
    "too little": (body("-1e300"), {"row": 2, "column": "dew_point", "value": -1e300}),
    "a huge integer": (body("9" * 400), {"row": 2, "column": "dew_point"}),
    "bytes": (body('"\xe9"').decode().encode("latin-1"), {"row": 2, "column": "dew_point", "value": "\ufffd"}),
}


@pytest.mark.parametrize(("sent", "wanted"), CELLS.values(), ids=CELLS)
def test_a_value_that_the_model_does_not_take_is_named(keyed: Door, sent: bytes, wanted: dict[str, Any]) -> None:
    problem = keyed.send("POST", "/predictions", sent, JSON | keyed.key("shop")).problem(422, "invalid-input")
    (error,) = problem["errors"]
    assert {key: value for key, value in error.items() if key != "detail"} == wanted
    assert problem["detail"] == f"row 2, column 'dew_point': {error['detail']}"


ROWS_OF_OTHER_SHAPES: dict[str, tuple[Any, dict[str, Any]]] = {
    "a row too short": (ROW[1:], {"row": 1}),
    "a row too long": ([*ROW, 1], {"row": 1}),
    "a number for a row": (1, {"row": 1, "value": 1}),
    "a missing column": (without("visibility"), {"row": 1, "column": "visibility"}),
    "an unknown column": (RECORD | {"__class__": 1}, {"row": 1, "column": "__class__"}),
}


@pytest.mark.parametrize(("row", "wanted"), ROWS_OF_OTHER_SHAPES.values(), ids=ROWS_OF_OTHER_SHAPES)
def test_a_row_of_another_shape_is_named(keyed: Door, row: Any, wanted: dict[str, Any]) -> None:
    problem = keyed.predict(keyed.key("shop"), [row]).problem(422, "invalid-input")
    (error,) = problem["errors"]
    assert {key: value for key, value in error.items() if key != "detail"} == wanted


def test_a_record_is_answered_as_its_row_is(keyed: Door) -> None:
    by_name, in_order = (keyed.predict(keyed.key("shop"), [each]) for each in (RECORD, ROW))
    assert by_name.status == in_order.status == 200, by_name.body
    assert by_name.json == in_order.json


@pytest.mark.parametrize(
    ("size", "status", "detail"),
    [
        (LIMIT, 200, ""),
        (LIMIT + 1, 413, f"the body has {LIMIT + 1} bytes; send at most {LIMIT}, in several requests"),
        (7 * 1024 * 1024, 413, "Send fewer rows at a time."),
        (GATEWAYS_LIMIT + 1, 413, "Send fewer rows at a time."),
    ],
    ids=["just small enough", "the function's limit", "Lambda's limit", "API Gateway's limit"],
)
@pytest.mark.parametrize("path", ["/predictions", "/jobs"])
def test_a_body_too_large_is_refused(keyed: Door, path: str, size: int, status: int, detail: str) -> None:
    answer = keyed.send("POST", path, padded(size), JSON | keyed.key("shop"))
    if status == 200:
        assert answer.status in (200, 202), answer.body
    else:
        assert answer.problem(status, "too-large")["detail"] == detail


def test_too_many_rows_are_refused(keyed: Door) -> None:
    assert len(keyed.predict(keyed.key("shop"), [ROW] * ROWS).json["predictions"]) == ROWS
    problem = keyed.predict(keyed.key("shop"), [ROW] * (ROWS + 1)).problem(413, "too-large")
    assert problem["detail"] == f"there are {ROWS + 1} rows; send at most {ROWS} at once"
    schema = keyed.send("GET", "/schema", headers=keyed.key("shop"))
    assert schema.headers["Content-Type"] == "application/schema+json"
    assert schema.json["properties"]["instances"]["maxItems"] == ROWS


FORMATS = {
    "none": {},
    "csv": {"Content-Type": "text/csv"},
    "latin": {"Content-Type": "application/json; charset=latin-1"},
    "a list": {"Content-Type": "application/json, text/csv"},
    "packed": JSON | {"Content-Encoding": "gzip"},
}


@pytest.mark.parametrize("path", ["/predictions", "/jobs"])
@pytest.mark.parametrize("headers", FORMATS.values(), ids=FORMATS)
def test_another_format_is_refused(keyed: Door, path: str, headers: dict[str, str]) -> None:
    sent = json.dumps({"instances": [ROW]}).encode()
    keyed.send("POST", path, sent, headers | keyed.key("shop")).problem(415, "unsupported-media-type")


def test_the_same_format_in_other_words_is_taken(keyed: Door) -> None:
    headers = {"Content-Type": 'Application/JSON; Charset="UTF-8"', "Content-Encoding": "identity"}
    assert keyed.send("POST", "/predictions", {"instances": [ROW]}, headers | keyed.key("shop")).status == 200
