"""What the front door refuses is what the serving container refuses: its own code says so, over made-up bodies."""

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lambdas.inference.problems import Problem
from lambdas.inference.signature import Signature
from lambdas.inference.strict_json import loads
from model_containers.serving.serving.bodies.json_body import JsonReader
from model_containers.serving.serving.bodies.table import Table
from model_containers.serving.serving.guard import Guard
from model_containers.serving.serving.problems import ProblemError
from model_containers.serving.serving.signature import Signature as ContainersSignature

Place = tuple[int, str | None]
OUTPUTS = [{"name": "p", "tensor": "p"}]
NAMES = ["temperature", "dew point", "größe", 'say "b"', "back\\slash", "a", "B", "instances", "[", "{,"]
BOUNDS = st.none() | st.sampled_from([0, 0.1, -0.1, 1, 5, 16777217, 1e38, -1e38, 3.5e38, 1e39, 1e300, 1e-46])
LABELS = ["red", "green, dark", "3", "", "ß", "null", 'say "b"']
ODD_NUMBERS = (
    *("0.1", "0.10000000149011612", "0.1000000015", "16777216", "16777217", "-0.0", "-0", "1E2", "1e+2", "5.0"),
    *("3.4028234663852886e38", "3.4028235e38", "3.4028236e38", "-3.5e38", "1.401298464324817e-45", "1e-400"),
)
NUMBERS = st.one_of(
    st.integers(-3, 8).map(str),
    st.floats(-10, 10).map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers().map(str),
    st.integers(2**53 - 3, 2**65).map(str),
    st.sampled_from(ODD_NUMBERS),
)
OTHERS = st.one_of(
    st.sampled_from(["1e400", "-1e400", "01", "1.", ".5", "+1", "0x10", "9" * 309, "9" * 400, "9" * 5000]),
    st.sampled_from(
        ["true", "false", '"1"', '"12.5"', '""', "[]", "{}", "[1]", '{"a": 1}', "NaN", "Infinity", '"NaN"']
    ),
    st.sampled_from([*LABELS, "Red", "\ud800"]).map(json.dumps),
)
KINDS = ("plain", "plain", "range", "range", "numbers", "labels")
VALUES = st.one_of(NUMBERS, NUMBERS, NUMBERS, st.just("null"), OTHERS)


@st.composite
def columns(draw: st.DrawFn, name: str, kinds: tuple[str, ...] = KINDS) -> dict[str, Any]:
    column: dict[str, Any] = {"name": name, "dtype": draw(st.sampled_from(["float32", "int64"]))}
    kind = draw(st.sampled_from(kinds))
    if kind == "labels":
        column["categories"] = draw(st.lists(st.sampled_from(LABELS), min_size=1, max_size=7, unique=True))
    if kind == "numbers":
        numbers = st.sampled_from([0, 1, 2.5, 0.1, -3, 1e300])
        column["categories"] = draw(st.lists(numbers, min_size=1, max_size=6, unique=True))
    if kind in ("range", "numbers"):
        bounds = [draw(BOUNDS), draw(BOUNDS)]
        known = sorted(each for each in bounds if each is not None)
        column |= dict(zip(["minimum", "maximum"], known if len(known) == 2 else bounds, strict=True))
    if draw(st.booleans()):
        column["allow_missing"] = draw(st.booleans())
    return column


@st.composite
def in_columns(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    given_columns = [draw(columns(name)) for name in names]
    sample = [[each["categories"][0] if each.get("categories") else 0 for each in given_columns]]
    return {"schema": 1, "tensor": "x", "columns": given_columns, "sample": sample, "outputs": OUTPUTS}


@st.composite
def as_tensor(draw: st.DrawFn) -> dict[str, Any]:
    shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    rules = draw(columns("x", ("plain", "range")))
    return {"schema": 1, "tensor": "x", "row_shape": shape, "outputs": OUTPUTS} | {
        key: value for key, value in rules.items() if key != "name"
    }


@st.composite
def likely(draw: st.DrawFn, column: dict[str, Any]) -> str:
    """Draw a value that its column takes, as often as not."""
    if draw(st.integers(0, 9)) == 0:
        return draw(VALUES)
    known = [json.dumps(each) for each in column.get("categories", ())]
    bounds = [column[key] for key in ("minimum", "maximum") if column.get(key) is not None]
    bounds += [each for each in column.get("categories", ()) if not isinstance(each, str)]
    known += [repr(each) for bound in bounds for each in (bound, *rounded(bound))]
    return draw(st.sampled_from(known)) if known else draw(NUMBERS | st.just("null"))


def rounded(value: float) -> list[float]:
    """Return the 32-bit float that is next to a value, and the floats next to that."""
    with np.errstate(over="ignore"):
        single = float(np.float32(value))
    return (
        [single, np.nextafter(single, -1e308).item(), np.nextafter(single, 1e308).item()] if abs(single) < 1e38 else []
    )


@st.composite
def rows_of(draw: st.DrawFn, fields: dict[str, Any]) -> str:
    if "row_shape" in fields:
        return draw(nested(fields, fields["row_shape"]))
    names = [each["name"] for each in fields["columns"]]
    values = [draw(likely(each)) for each in fields["columns"]]
    oddity = draw(st.sampled_from(["", "", "", "", "", "", "short", "long", "unknown", "other"]))
    if oddity == "other":
        return draw(VALUES)
    if oddity == "short":
        names, values = names[1:], values[1:]
    if oddity in ("long", "unknown"):
        names, values = [*names, "more"], [*values, "1"]
    if draw(st.booleans()):
        return f"[{', '.join(values)}]"
    order = draw(st.permutations(range(len(names))))
    return "{" + ", ".join(f"{json.dumps(names[place])}: {values[place]}" for place in order) + "}"


@st.composite
def nested(draw: st.DrawFn, fields: dict[str, Any], shape: list[int]) -> str:
    if not shape:
        return draw(likely(fields))
    if draw(st.integers(0, 19)) == 0:
        return draw(VALUES)
    extent = shape[0] + draw(st.sampled_from([0] * 30 + [1, -1]))
    return f"[{', '.join(draw(nested(fields, shape[1:])) for _ in range(extent))}]"


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Any], bytes]:
    fields = draw(in_columns() | in_columns() | as_tensor())
    rows = draw(st.lists(rows_of(fields), max_size=14))
    return fields, f'{{"instances": [{", ".join(rows)}]}}'.encode()


def containers_verdict(fields: dict[str, Any], body: bytes) -> tuple[list[list[float]] | None, list[Place], str]:
    """Return rows, or the places that the container names and its words."""
    signature = ContainersSignature.from_dict(fields)
    with np.errstate(over="ignore"):
        guard = Guard(signature)
    try:
        rows = JsonReader(Table(signature, 1000)).read(body)
        bad = guard.offending(rows)
        if bad is None:
            return rows.tolist(), [], ""
        problem = guard.refusal(rows, bad)
    except ProblemError as error:
        problem = error
    return None, _places(problem), problem.detail


def _places(problem: ProblemError) -> list[Place]:
    if problem.errors:
        return [(each["row"], each["column"]) for each in problem.errors]
    row = re.match(r"row (\d+) ", problem.detail)
    column = re.search(r"^row \d+ (?:lacks|has) column '(.*?)'(?:;|, which)", problem.detail)
    return [(int(row[1]), column[1] if column else None)] if row else []


def own_verdict(fields: dict[str, Any], body: bytes) -> tuple[list[list[Any]] | None, list[Place], str]:
    try:
        return Signature.from_document(fields).check(loads(body)["instances"]), [], ""
    except Problem as problem:
        places = [(each["row"], each.get("column")) for each in problem.errors]
        json.dumps(problem.document("1"), allow_nan=False)
        return None, places, problem.detail


def numbered(fields: dict[str, Any], rows: list[list[Any]]) -> list[list[float]]:
    """Return rows as the container has them: flat, labels by their position, what is missing as NaN."""
    width = len(fields["columns"]) if "columns" in fields else 0
    flat = [list(np.ravel(np.array(row, dtype=object))) for row in rows]
    labels = [each.get("categories", ()) for each in fields["columns"]] if width else []
    return [
        [
            float(labels[place].index(each)) if isinstance(each, str) else np.nan if each is None else each
            for place, each in enumerate(row)
        ]
        for row in flat
    ]


COLUMN = {
    "schema": 1,
    "tensor": "x",
    "columns": [{"name": "a", "dtype": "float32"}],
    "sample": [[0]],
    "outputs": OUTPUTS,
}


@given(cases())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example((COLUMN, b'{"instances": [[1], [true], ["1"], [2, 3]]}'))
@example((COLUMN, b'{"instances": [[3.5e38], [true]]}'))
@example((COLUMN, b'{"instances": [[null], [3.5e38]]}'))
@example((COLUMN, b'{"instances": [' + b", ".join([b"[null]"] * 14) + b"]}"))
@example((COLUMN, b'{"instances": [1]}'))
@example((COLUMN, b'{"instances": []}'))
@example((COLUMN, b'{"instances": [{"a": 1}, [2]]}'))
@example((COLUMN, b'{"instances": [{"b": 1, "a": 2}]}'))
@example((COLUMN, b'{"instances": [[9007199254740993]]}'))
def test_verdict_and_places_are_those_of_the_container(case: tuple[dict[str, Any], bytes]) -> None:
    fields, body = case
    theirs, their_places, their_words = containers_verdict(fields, body)
    own, own_places, own_words = own_verdict(fields, body)

    assert (own is None) == (theirs is None), (own_words, their_words)
    if own is not None and theirs is not None:
        np.testing.assert_array_equal(np.array(numbered(fields, own)), np.array(theirs))
    # What is no JSON has no rows; the front door looks for it first.
    if own_places:
        assert own_places[: len(their_places)] == their_places, (own_words, their_words)
    if len(their_places) > 1:
        assert own_places == their_places
        assert re.findall(r"\(and \d+ more\)", own_words) == re.findall(r"\(and \d+ more\)", their_words)


@pytest.mark.parametrize(
    ("rules", "value"),
    [
        ({"minimum": -0.1}, "-0.10000000149011612"),
        ({"maximum": 0.1}, "0.10000000149011612"),
        ({"categories": [0.1]}, "0.10000000149011612"),
    ],
)
def test_what_a_32_bit_float_makes_of_a_limit_is_taken_by_both(rules: dict[str, Any], value: str) -> None:
    fields = COLUMN | {"columns": [{"name": "a", "dtype": "float32"} | rules]}
    body, beyond = (f'{{"instances": [[{each}]]}}'.encode() for each in (value, value[:-1] + "9"))

    assert containers_verdict(fields, body)[0] == own_verdict(fields, body)[0] == [[float(value)]]
    assert containers_verdict(fields, beyond)[0] is own_verdict(fields, beyond)[0] is None


@pytest.mark.parametrize("problem", ["1e400", "9" * 5000])
def test_a_number_that_nobody_holds_is_refused_by_both(problem: str) -> None:
    body = f'{{"instances": [[{problem}]]}}'.encode()

    assert containers_verdict(COLUMN, body)[0] is None
    assert own_verdict(COLUMN, body)[0] is None
