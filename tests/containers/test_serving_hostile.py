"""Bodies meant to hurt: they are refused, and the real server stays answerable meanwhile."""

import io
import json
import threading
import time

import numpy as np
import pytest
from numpy.lib import format as npy_format

from model_containers.serving.serving.budget import Budget, Share
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
    share, other = Share(budget), Share(budget)

    assert (share.take(30), budget.held) == (True, 30)
    assert other.take(size) is (size == 10)
    assert not other.take(30)
    assert not other.take(1), "after one refusal, never again"
    other.give_up()
    assert budget.held == 30
    share.give_up()
    assert budget.held == 0
