"""Whatever is sent, a body is read as plainer readers read it, or refused: nothing else is raised."""

import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_containers.serving.serving.guard import Guard
from model_containers.serving.serving.problems import ProblemError
from tests.containers.bodies import references
from tests.containers.bodies.models import (
    CSV,
    IMAGE,
    JSON,
    LABELS,
    LINES,
    MAX_ROWS,
    NPY,
    NUMBERS,
    infer_body,
    npy,
    npy_header,
    protocol,
    read,
)

MODELS = {"numbers": NUMBERS, "labels": LABELS, "image": IMAGE}
WORDS = ["a", "b", "colour", "x", "instances", "columns", "inputs", "red", "green, dark", "3"]

words = st.sampled_from(WORDS)
scalars = st.one_of(
    st.floats(width=16), st.none(), st.booleans(), st.integers(), st.floats(), words, st.text(max_size=60)
)
numbers = st.one_of(st.floats(-1e3, 1e3), st.integers(-9, 9), st.none(), st.integers(), st.floats(), st.just(True))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=12,
)
lists = st.tuples(numbers, numbers | words)
records = st.fixed_dictionaries({"a": numbers}, optional={"b": numbers, "colour": numbers | words, "c": scalars})
images = st.tuples(st.tuples(numbers, numbers), st.lists(numbers, min_size=1, max_size=3))
instances = st.one_of(lists, records, images, values)
tables = st.lists(lists | records, max_size=5) | st.lists(images, max_size=5)
columns = st.fixed_dictionaries(
    {"a": st.lists(numbers, max_size=4)},
    optional={"b": st.lists(numbers, max_size=4), "colour": st.lists(words | st.none(), max_size=4)},
)


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


json_bodies = st.one_of(
    tables,
    st.fixed_dictionaries({"instances": tables | values}, optional={"columns": columns, "signature_name": scalars}),
    st.fixed_dictionaries({"columns": columns | values}),
    values,
).map(as_json)
line_bodies = st.lists(
    instances.map(as_json) | st.sampled_from([b"", b" ", b"{", b"[1,2] [3,4]", b"[1,\r2]"]), max_size=5
).map(b"\n".join)

cells = st.one_of(
    st.floats().map(str),
    st.integers(-9, 9).map(str),
    st.sampled_from(
        ["", "nan", "NULL", "1_0", "inf", "0x1", "\u0661", "1e999", '"a"', "+.5e-3", "-", "5.", "007", "-0", " 1\t"]
    ),
    st.sampled_from(["red", '"green, dark"', "3", '"3"', "a", "b", "colour", '"', "[1", "2]", "],[1", "{}", "true"]),
    st.text(max_size=80),
)
csv_lines = st.one_of(st.lists(cells, min_size=2, max_size=2), st.lists(cells, max_size=5)).map(",".join)
csv_bodies = st.builds(
    lambda lines, ending, start: (start + ending.join(lines)).encode("utf-8", "surrogatepass"),
    st.lists(csv_lines | st.sampled_from(["a,b", "b,a", "colour,a", "1,2", "0.1,0.2,0.3,0.4"]), max_size=5),
    st.sampled_from(["\n", "\r\n", "\r", "\x0b"]),
    st.sampled_from(["", "\ufeff", "\n"]),
)

dtypes = st.sampled_from(
    [
        "<f8",
        ">f4",
        "<f4",
        "<f2",
        "<i8",
        "|u1",
        "<f16",
        "=f8",
        "<f1",
        "<i16",
        "|b1",
        "<U3",
        "<M8[s]",
        "|O",
        "V4",
        "?",
        "",
        "(2,)f4",
    ]
)
extents = st.one_of(st.integers(-2, 6), st.sampled_from([2**31, 2**63, 10**40, True]))
npy_bodies = st.one_of(
    st.builds(
        lambda dtype, order, shape, comma, version, data: (
            npy_header(f"{{'descr': {dtype!r}, 'fortran_order': {order}, 'shape': {shape}{comma}}}\n", version) + data
        ),
        dtypes,
        st.booleans(),
        st.lists(extents, max_size=3).map(tuple) | st.sampled_from([(1, 2), (2, 2), (3, 2), (1, 2, 2), (4,)]),
        st.sampled_from([", ", "", ","]),
        st.sampled_from([1, 2, 3, 4]),
        st.binary(max_size=40) | st.integers(0, 12).map(lambda count: b"\x3c" * 8 * count),
    ),
    st.text(st.characters(max_codepoint=126), max_size=60).map(npy_header),
    st.builds(
        lambda rows, dtype, order: npy(np.array(rows).astype(dtype, order=order)),
        st.lists(st.tuples(*[st.floats(0, 9)] * 2), max_size=4)
        | st.lists(st.tuples(*[st.integers(0, 9)] * 4), max_size=4),
        st.sampled_from(["<f4", ">f4", "<f8", ">i4", "<u2", "<f2"]),
        st.sampled_from(["C", "F"]),
    ),
)

datatypes = st.sampled_from(["FP32", "FP64", "FP16", "INT64", "UINT8", "BYTES", "BOOL", "FP8"])
shapes = st.sampled_from([[1, 2], [2, 2], [1], [2], [2, 1], [0, 2], [1, 2, 2], [4, 2], [-1, 2], [2**63, 2], [2**70]])
flat = st.lists(numbers, max_size=4) | st.lists(words | st.none(), max_size=4)
parameters = st.fixed_dictionaries(
    {}, optional={"binary_data_size": st.integers(-1, 20), "shared_memory_region": st.just("r")}
)
ragged = st.sampled_from([[[1], [2, 3]], [["a"], ["b", "a"]], [[], [1, 2]], [[[1]], [2]], [["a"], []]])
inputs = st.fixed_dictionaries(
    {"name": st.sampled_from(["x", "a", "b", "colour"]), "shape": shapes, "datatype": datatypes},
    optional={"data": flat | st.lists(flat, max_size=3) | values | ragged, "parameters": parameters},
)


def fitting(kind: str, count: int, names: tuple[str, ...]) -> list[dict[str, object]]:
    """Inputs as the models take them, by column or together."""
    cell: object = {"BYTES": "red"}.get(kind, 3)
    if names == ("x",):
        return [{"name": "x", "shape": [count, 2], "datatype": kind, "data": [[cell] * 2] * count}]
    return [{"name": name, "shape": [count], "datatype": kind, "data": [cell] * count} for name in names]


infer_inputs = st.one_of(
    st.lists(inputs, max_size=3),
    st.builds(fitting, datatypes, st.integers(0, 4), st.sampled_from([("x",), ("a", "b"), ("colour", "a"), ("a",)])),
)
asked = st.lists(st.fixed_dictionaries({"name": st.sampled_from(["rain", "probability", "no"])}), max_size=2)
infer_bodies = st.builds(
    lambda given, data, fields: infer_body(given, data, **fields),
    infer_inputs,
    st.binary(max_size=24) | st.sampled_from([b"", b"\3\0\0\0red" * 2, b"\0\0\x80\x3f" * 2]),
    st.fixed_dictionaries({}, optional={"id": scalars, "outputs": asked | values, "parameters": values}),
) | st.tuples(json_bodies | st.binary(max_size=40), st.sampled_from(["0", "5", "99", "x", "-1", "1" * 11]))

OWN = {CSV: csv_bodies, JSON: json_bodies, LINES: line_bodies, NPY: npy_bodies}
REFERENCES = {
    CSV: references.read_csv,
    JSON: references.read_json,
    LINES: references.read_json_lines,
    NPY: references.read_npy,
}
torn = st.tuples(st.one_of(*OWN.values()), st.integers(0, 80)).map(lambda drawn: drawn[0][: drawn[1]])
anything = st.one_of(*OWN.values(), torn, st.binary(max_size=60))

real = st.floats(allow_infinity=False, allow_nan=False) | st.integers(-(2**70), 2**70) | st.none()
good_cells = {
    "numbers": [real, real],
    "labels": [real, st.sampled_from([*LABELS.columns[1].labels, None])],
    "image": [real] * 4,
}
good_rows = {
    model: st.lists(st.tuples(*columns).map(list), min_size=1, max_size=MAX_ROWS)
    for model, columns in good_cells.items()
}


@st.composite
def good_bodies(draw: st.DrawFn, model: str, content_type: str) -> bytes:
    """A body as its model takes it, in one of the forms of its content type."""
    rows = draw(good_rows[model])
    names = MODELS[model].names
    if content_type == NPY:
        indices = [
            [references.as_number(value, place, MODELS[model]) for place, value in enumerate(row)] for row in rows
        ]
        return npy(np.array(indices).astype(draw(st.sampled_from(["<f8", ">f8"])), order=draw(st.sampled_from("CF"))))
    if content_type == CSV:
        return draw(good_csv(rows, names if model != "image" else None))
    if model == "image":
        instances = [[row[:2], row[2:]] for row in rows]
    else:
        instances = [draw(st.sampled_from([row, dict(zip(names, row, strict=True))])) for row in rows]
    if content_type == LINES:
        return b"\n".join(map(as_json, instances))
    forms = [instances, {"instances": instances}]
    if model != "image":
        forms.append({"columns": dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))})
    return as_json(draw(st.sampled_from(forms)))


@st.composite
def good_csv(draw: st.DrawFn, rows: list[list[object]], names: list[str] | None) -> bytes:
    order = draw(st.permutations(range(len(rows[0])))) if names else range(len(rows[0]))
    lines = [[row[place] for place in order] for row in rows]
    if names and (draw(st.booleans()) or list(order) != sorted(order)):
        lines.insert(0, [names[place] for place in order])
    text = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    csv.writer(text, lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])), quoting=quoting).writerows(lines)
    return text.getvalue().encode()


@st.composite
def good_requests(draw: st.DrawFn, model: str) -> tuple[bytes, str]:
    """A request of the Open Inference Protocol as its model takes it: JSON or binary, together or by column."""
    rows = draw(good_rows[model].map(lambda rows: [[0.5 if value is None else value for value in row] for row in rows]))
    shape = list(MODELS[model].input_shape)
    if model == "labels" or (model == "numbers" and draw(st.booleans())):
        columns = zip(MODELS[model].names, zip(*rows, strict=True), strict=True)
        tensors = [(name, [len(rows), *draw(st.sampled_from([[], [1]]))], list(values)) for name, values in columns]
    else:
        tensors = [("x", [len(rows), *shape], [value for row in rows for value in row])]
    inputs, data = [], []
    for name, extents, values in tensors:
        strings = name == "colour"
        flat = ["red" if strings and value == 0.5 else value for value in values]
        each = {"name": name, "shape": extents, "datatype": "BYTES" if strings else "FP64"}
        if draw(st.booleans()):
            elements = [len(value.encode()).to_bytes(4, "little") + value.encode() for value in flat] if strings else []
            data.append(b"".join(elements) if strings else np.array(flat, "<f8").tobytes())
            each["parameters"] = {"binary_data_size": len(data[-1])}
        else:
            nested = np.array(flat, object).reshape(extents).tolist()
            each["data"] = draw(st.sampled_from([flat, nested]))
        inputs.append(each)
    return infer_body(inputs, *data)


def check_problem(problem: ProblemError) -> None:
    assert problem.status in (400, 413)
    assert len(problem.body()) < 3_000


def check_rows(rows: np.ndarray, width: int) -> None:
    assert rows.dtype in (np.float32, np.float64)
    assert rows.ndim == 2
    assert rows.shape[1] == width
    assert 1 <= len(rows) <= MAX_ROWS


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("content_type", OWN)
def test_body_is_read_as_plainer_readers_do_or_refused(content_type, model, data):
    kinds = {"good": good_bodies(model, content_type), "odd": OWN[content_type], "any": anything}
    body = data.draw(kinds[data.draw(st.sampled_from(sorted(kinds)))])
    try:
        rows = read(MODELS[model], content_type, body)
    except ProblemError as problem:
        check_problem(problem)
        return
    check_rows(rows, MODELS[model].width)
    np.testing.assert_array_equal(rows, REFERENCES[content_type](body, MODELS[model]))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data(), in_json=st.booleans())
@pytest.mark.parametrize("model", MODELS)
def test_inference_request_is_read_as_plainer_readers_do_or_refused(model, data, in_json):
    body, size = data.draw(good_requests(model) | infer_bodies)
    try:
        rows = protocol(MODELS[model]).exchange(None if in_json else size).read(body)
    except ProblemError as problem:
        check_problem(problem)
        return
    check_rows(rows, MODELS[model].width)
    end = len(body) if in_json else int(size)
    np.testing.assert_array_equal(rows, references.read_infer(body[:end], body[end:], MODELS[model]))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(cell=st.floats() | st.floats(width=32), other=st.floats(), wide=st.booleans())
@pytest.mark.parametrize("model", MODELS)
def test_guard_admits_what_the_model_can_take_or_says_what_is_wrong(model, cell, other, wide):
    with np.errstate(all="ignore"):
        rows = np.resize(np.array([cell, other], np.float64 if wide else np.float32), (1, MODELS[model].width))
    guard = Guard(MODELS[model])
    bad = guard.offending(rows)
    if bad is not None:
        check_problem(guard.refusal(rows, bad))
        return
    admitted = guard.prepare(rows)
    assert admitted.dtype == np.float32
    assert admitted.shape == (1, *MODELS[model].input_shape)
    assert not np.isinf(admitted).any()
