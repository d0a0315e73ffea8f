"""Bodies meant to hurt: the real server stays answerable, and the parsers raise nothing but problems."""

import io
import json
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy_format

from model_containers.serving.serving import formats
from model_containers.serving.serving.budget import Budget
from model_containers.serving.serving.guard import Guard
from model_containers.serving.serving.problems import ProblemError
from model_containers.serving.serving.signature import Signature
from model_containers.training import replay

FEATURES = list(replay.FEATURES)
LINE = replay.rows(8_000, 8_001)[0]
ROW = [float(cell) for cell in LINE.split(",")]
MEGABYTE = 1_000_000
FULL = 10_000  # the default of TIDEGATE_MAX_ROWS
CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"


def npy_bytes(array: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array))
    return buffer.getvalue()


def npy_header(text: str, version: int = 1) -> bytes:
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return npy_format.magic(version, 0) + length + text.encode("latin-1")


def npy_claim(shape: str) -> bytes:
    return npy_header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\n")


def columns(rows: int) -> str:
    return json.dumps({"columns": {name: [value] * rows for name, value in zip(FEATURES, ROW, strict=True)}})


HOSTILE = {
    "csv: digits, then a letter": (CSV, "1" * 24_000 + "x" + ",1" * 7, 400),
    "csv: megabytes of digits": (CSV, "1" * 24 * MEGABYTE + "x" + ",1" * 7, 400),
    "csv: megabytes of digits in a second row": (CSV, LINE + "\n" + "1" * 24 * MEGABYTE + ",1" * 7, 400),
    "csv: commas": (CSV, "," * 24 * MEGABYTE, 400),
    "csv: line feeds": (CSV, "\n" * 24 * MEGABYTE, 413),
    "csv: carriage returns": (CSV, "\r" * 24 * MEGABYTE, 413),
    "csv: other separators of lines": (CSV, "\x1c" * 24 * MEGABYTE, 400),
    "csv: spaces": (CSV, " " * 24 * MEGABYTE, 400),
    "csv: rows": (CSV, f"{LINE}\n" * 500_000, 413),
    "json: columns": (JSON, columns(500_000), 413),
    "json: empty rows": (JSON, "[" + "[]," * 8 * MEGABYTE + "[]]", 413),
    "json: empty records": (JSON, "[" + "{}," * 8 * MEGABYTE + "{}]", 413),
    "json: zeros": (JSON, "[" + "0," * 12 * MEGABYTE + "0]", 413),
    "json: brackets": (JSON, "[" * 24 * MEGABYTE, 413),
    "json: nested as deep as the parser goes": (JSON, f"[[{'[' * 900}{']' * 900}{',1' * 7}]]", 400),
    "json: one number of megabytes": (JSON, f"[[{'1' * 24 * MEGABYTE}{',1' * 7}]]", 400),
    "json: one fraction of megabytes": (JSON, f"[[0.{'1' * 24 * MEGABYTE}{',99' * 7}]]", 400),
    "json: one string of megabytes": (JSON, f'[["{"a" * 24 * MEGABYTE}"{",1" * 7}]]', 400),
    "npy: a terabyte claimed": (NPY, npy_claim("(17179869184, 8)"), 413),
    "npy: nothing, of endless width": (NPY, npy_claim(f"(0, {10**30})"), 400),
    "npy: nothing, of endless length": (NPY, npy_claim(f"({10**30}, 0)"), 400),
    "npy: negative extents": (NPY, npy_claim("(-1, -8)"), 400),
    "npy: a header of megabytes": (NPY, npy_header("1" * 24 * MEGABYTE, version=2), 400),
    "npy: a nested header": (NPY, npy_header("(" * 60_000), 400),
    "npy: rows": (NPY, npy_bytes(np.zeros((FULL + 1, 8))), 413),
}


def slowest_ping(server, thread: threading.Thread) -> float:
    """Ask for /ping until the thread ends, and once at least; return the longest wait."""
    waits = []
    while not waits or thread.is_alive():
        began = time.monotonic()
        assert server.get("/ping").status == 200
        waits.append(time.monotonic() - began)
    return max(waits)


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_body_is_refused_and_ping_is_answered_meanwhile(bootstrap, attack):
    content_type, body, status = HOSTILE[attack]
    replies = []
    thread = threading.Thread(target=lambda: replies.append(bootstrap.invoke(body, content_type)), daemon=True)

    began = time.monotonic()
    thread.start()
    assert slowest_ping(bootstrap, thread) < 10
    thread.join()

    assert replies[0].status == status, replies[0].body[:500]
    assert len(replies[0].body) < 2_000
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (CSV, f"{','.join(FEATURES)}\n" + f"{LINE}\r\n" * FULL),
        (JSON, columns(FULL)),
        (JSON, json.dumps({"instances": [dict(zip(FEATURES, ROW, strict=True))] * FULL})),
        (NPY, npy_bytes([ROW] * FULL)),
    ],
)
def test_as_many_rows_as_allowed_are_answered(bootstrap, content_type, body):
    assert len(bootstrap.invoke(body, content_type).json["predictions"]) == FULL


def test_row_limit_is_set_by_the_environment_and_names_the_way_out(start, unpacked):
    server = start(unpacked("1.0.0"), TIDEGATE_MAX_ROWS="2").ready()
    bodies = {CSV: f"{LINE}\n" * 3, JSON: json.dumps([ROW] * 3), NPY: npy_bytes([ROW] * 3)}

    for content_type, body in [*bodies.items(), (JSON, columns(3))]:
        refused = server.invoke(body, content_type)
        assert refused.status == 413
        assert "more than 2 rows (TIDEGATE_MAX_ROWS); send batches" in str(refused.json["detail"])
        assert "batch transform" in str(refused.json["detail"])
    assert server.invoke(f"{LINE}\n" * 2).status == 200


def test_bodies_beyond_the_byte_budget_are_refused_until_others_are_answered(start, unpacked):
    limits = {"TIDEGATE_MAX_BODY_BYTES": "4000", "TIDEGATE_MAX_IN_FLIGHT_BYTES": "4000"}
    server = start(unpacked("1.2.0"), **limits).ready()
    slow = f"{LINE}\n" * (3_900 // (len(LINE) + 1))
    replies = []
    thread = threading.Thread(target=lambda: replies.append(server.invoke(slow)), daemon=True)
    thread.start()
    server.wait_until(lambda: b"requests_in_flight 1" in server.get("/metrics").body)
    time.sleep(0.1)

    refused = server.invoke(slow)
    thread.join()

    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert "memory" in str(refused.json["detail"])
    assert replies[0].status == 200
    assert server.invoke(LINE).status == 200


@pytest.mark.parametrize("size", [10, 100])
def test_what_a_request_held_is_given_back_however_it_ends(size):
    budget = Budget(50)
    with budget.share() as share:
        held = share.take(30)
        assert (held, budget.held) == (True, 30)
        with budget.share() as other:
            assert other.take(size) is (size == 10)
    assert budget.held == 0


FIELDS = {
    "schema": 1,
    "tensor": "x",
    "columns": [{"name": "a", "dtype": "float32"}, {"name": "b", "dtype": "int64", "allow_missing": True}],
    "outputs": [],
    "sample": [[1, 2]],
}
SIGNATURE = Signature.from_dict(FIELDS)

cells = st.one_of(
    st.floats().map(str),
    st.integers().map(str),
    st.sampled_from(["", "nan", "NULL", "1_0", "inf", "\u0661", "1e999", '"a"', "a", "b", "+.5e-3", "-"]),
    st.text(max_size=80),
)
lines = st.lists(cells, max_size=4).map(",".join)
csv_bodies = st.tuples(st.lists(lines, max_size=5), st.sampled_from(["\n", "\r\n", "\r", "\x0b"])).map(
    lambda drawn: drawn[1].join(drawn[0]).encode("utf-8", "surrogatepass")
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=60))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "c", "instances", "columns"]), inner, max_size=3),
    ),
    max_leaves=12,
)
table = st.lists(st.tuples(scalars, scalars), max_size=5)
json_bodies = st.one_of(values, table, st.fixed_dictionaries({"instances": st.one_of(table, values)})).map(
    lambda value: json.dumps(value).encode()
) | st.fixed_dictionaries({"a": st.lists(scalars, max_size=5), "b": st.lists(scalars, max_size=5)}).map(
    lambda value: json.dumps({"columns": value}).encode()
)
dtypes = st.sampled_from(
    ["<f8", ">f4", "<f2", "<i8", "|u1", "<f16", "|b1", "<U3", "<M8[s]", "|O", "V4", "?", "", "(2,)f4"]
)
extents = st.one_of(st.integers(-2, 6), st.sampled_from([2**31, 2**63, 10**40, True]))
headers = st.builds(
    lambda dtype, order, shape, data: (
        npy_header(f"{{'descr': {dtype!r}, 'fortran_order': {order}, 'shape': {shape}}}") + data
    ),
    dtypes,
    st.booleans(),
    st.lists(extents, max_size=3).map(tuple),
    st.binary(max_size=40) | st.integers(0, 12).map(lambda count: b"\xff" * 8 * count),
)
scribbles = st.text(st.characters(max_codepoint=126), max_size=60).map(npy_header)
arrays = st.lists(st.tuples(st.floats(), st.floats()), max_size=5).map(npy_bytes)
npy_bodies = st.one_of(headers, scribbles, arrays)
torn = st.tuples(st.one_of(csv_bodies, json_bodies, npy_bodies), st.integers(0, 80)).map(
    lambda drawn: drawn[0][: drawn[1]]
)
bodies = st.one_of(csv_bodies, json_bodies, npy_bodies, torn, st.binary(max_size=60))


def read(content_type: str, body: bytes) -> np.ndarray | ProblemError:
    try:
        return Guard(SIGNATURE).admit(formats.decoder(content_type)(body, SIGNATURE, 3))
    except ProblemError as problem:
        return problem


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
@pytest.mark.parametrize("content_type", [CSV, JSON, NPY])
def test_parsers_raise_nothing_but_problems_of_the_caller(content_type, data):
    own = {CSV: csv_bodies, JSON: json_bodies, NPY: npy_bodies}[content_type]
    outcome = read(content_type, data.draw(own | bodies))
    if isinstance(outcome, ProblemError):
        assert outcome.status in (400, 413)
        assert len(outcome.body()) < 3_000
    else:
        assert outcome.shape[1] == 2
        assert 1 <= len(outcome) <= 3
