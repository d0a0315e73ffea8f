"""Files of captured requests, as Data Capture writes them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.rollout.answers.captures import Reply, capture_object, lines_of, read_exchange, spread

FOLDER = "capture/rain-local/rain-local/blue/2026/11/22/12"


def test_a_key_says_whose_requests_they_are() -> None:
    file = capture_object("bucket", f"{FOLDER}/05-01-123-4f.jsonl", 7.0)
    assert file is not None
    assert (file.endpoint, file.slot, file.at) == ("rain-local", "blue", 7.0)


@pytest.mark.parametrize("key", [f"{FOLDER}/state.json", "rain-local/blue/x.jsonl", "x.jsonl", ""])
def test_other_objects_are_none_of_data_captures(key: str) -> None:
    assert capture_object("bucket", key, 7.0) is None


def test_a_text_and_its_answer_are_read(capture_line: Callable[..., str]) -> None:
    exchange = read_exchange(capture_line('{"a": "ä"}', '{"b": 1}', customAttributes=["trace=7"]).encode())
    assert exchange is not None
    assert (exchange.content_type, exchange.body) == ("application/json", '{"a": "ä"}'.encode())
    assert exchange.live == Reply("application/json", b'{"b": 1}')
    assert exchange.attributes == "trace=7"


def test_base64_is_read(binary_capture_line: Callable[[bytes, bytes], str]) -> None:
    exchange = read_exchange(binary_capture_line(b"\x93NUMPY\x00\xff", b"\x00\x01").encode())
    assert exchange is not None
    assert (exchange.body, exchange.live.body) == (b"\x93NUMPY\x00\xff", b"\x00\x01")


def test_csv_is_read() -> None:
    part = {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2\n3,4\n", "encoding": "CSV"}
    record = {"captureData": {"endpointInput": part, "endpointOutput": {**part, "data": "0.5\n0.6\n"}}}
    exchange = read_exchange(json.dumps(record).encode())
    assert exchange is not None
    assert (exchange.body, exchange.live.body) == (b"1,2\n3,4\n", b"0.5\n0.6\n")


def broken_lines() -> list[bytes]:
    part = {"observedContentType": "text/csv", "mode": "INPUT", "data": "1", "encoding": "CSV"}
    records: list[Any] = [
        {"captureData": {"endpointInput": part}},
        {"captureData": {"endpointOutput": part}},
        {"captureData": {"endpointInput": part, "endpointOutput": {**part, "encoding": "GZIP"}}},
        {"captureData": {"endpointInput": {**part, "encoding": "BASE64", "data": "%%"}, "endpointOutput": part}},
        {"captureData": {"endpointInput": {**part, "data": {"a": 1}}, "endpointOutput": part}},
        {"captureData": [part, part]},
        *(
            {"captureData": {"endpointInput": {**part, "observedContentType": kind}, "endpointOutput": part}}
            for kind in ("text/csv\nX-Other: 1", "\ud800", "a" * 2000)
        ),
        ["captureData"],
        7,
    ]
    deep = b'{"captureData": ' + b"[" * 100_000
    return [*(json.dumps(record).encode() for record in records), b'{"captureData": {"endp', b"\xff\xfe", deep]


@pytest.mark.parametrize("line", broken_lines(), ids=range(len(broken_lines())))
def test_what_cannot_be_read_is_none_and_never_an_error(line: bytes) -> None:
    assert read_exchange(line) is None


@pytest.mark.parametrize("attributes", [["a", "b"], [7], "text", ["x" * 1025], ["line\nbreak"], None])
def test_odd_attributes_are_left_out(capture_line: Callable[..., str], attributes: Any) -> None:
    exchange = read_exchange(capture_line("1", "2", customAttributes=attributes).encode())
    assert exchange is not None
    assert exchange.attributes == ""


def test_the_last_line_is_left_out_where_it_was_cut_off() -> None:
    assert lines_of(b"one\n\ntwo\nthr", whole=False) == [b"one", b"two"]
    assert lines_of(b"one\n\ntwo\nthree\n", whole=True) == [b"one", b"two", b"three"]


def test_a_sample_comes_from_all_over_and_is_the_same_each_time() -> None:
    lines = [str(number).encode() for number in range(100)]
    assert spread(lines, 4) == [b"0", b"25", b"50", b"75"]
    assert spread(lines, 1000) == lines
    assert spread([], 4) == []
