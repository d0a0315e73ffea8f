"""The same row in every server's words, and every server's answer read back."""

import io
import json
import re

import numpy as np
import pytest

from bench.serving import wire

ROW = np.array([0.1, -2.5, 3.0], dtype=np.float32)


def parts(request: bytes) -> tuple[bytes, bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length is not None
    assert int(length[1]) == len(body)
    return head, body


def test_json_has_the_shortest_numbers() -> None:
    head, body = parts(wire.invocations().request(wire.JSON, ROW, ["score"]))
    assert head.startswith(b"POST /invocations HTTP/1.1\r\n")
    assert body == b'{"instances":[[0.1,-2.5,3.0]]}'


def test_npy_is_one_row() -> None:
    head, body = parts(wire.invocations({wire.JSON: "/a", wire.NPY: "/b"}).request(wire.NPY, ROW, ["score"]))
    assert head.startswith(b"POST /b HTTP/1.1\r\n")
    sent = np.load(io.BytesIO(body))
    assert sent.dtype == np.float32
    assert sent.tolist() == [ROW.tolist()]


def test_v2_sends_a_tensor_as_json() -> None:
    head, body = parts(wire.v2("bench").request(wire.JSON, ROW, ["score"]))
    assert head.startswith(b"POST /v2/models/bench/infer HTTP/1.1\r\n")
    (tensor,) = json.loads(body)["inputs"]
    assert tensor == {"name": "rows", "shape": [1, 3], "datatype": "FP32", "data": [0.1, -2.5, 3.0]}


def test_v2_sends_a_binary_tensor_after_its_description() -> None:
    head, body = parts(wire.v2("bench").request(wire.NPY, ROW, ["score"]))
    described = re.search(rb"Inference-Header-Content-Length: (\d+)", head)
    assert described is not None
    described_as = json.loads(body[: int(described[1])])
    assert described_as["inputs"][0]["parameters"] == {"binary_data_size": ROW.nbytes}
    assert described_as["outputs"] == [{"name": "score", "parameters": {"binary_data": True}}]
    assert body[int(described[1]) :] == ROW.tobytes()


def test_a_form_carries_npy_as_a_file() -> None:
    head, body = parts(wire.upload("files").request(wire.NPY, ROW, ["score"]))
    boundary = re.search(rb"boundary=(\S+)", head)
    assert boundary is not None
    _, part, end = body.split(b"--" + boundary[1])
    about, _, content = part.strip(b"\r\n").partition(b"\r\n\r\n")
    assert b'name="files"; filename="row.npy"' in about
    assert np.load(io.BytesIO(content)).tolist() == [ROW.tolist()]
    assert end == b"--\r\n"


@pytest.mark.parametrize(
    "answer",
    ['{"predictions": [{"score": 0.25, "class": 1}]}', '{"predictions": [[0.25, 1]]}', "[[0.25, 1]]", "[0.25]"],
)
def test_the_first_output_is_found_in_whatever_shape_json_has(answer: str) -> None:
    assert wire.invocations().score(wire.JSON, b"", answer.encode()) == 0.25


def test_the_first_output_is_found_in_npy_and_v2() -> None:
    body = io.BytesIO()
    np.save(body, np.array([[0.25, 1.0]], dtype=np.float32))
    assert wire.invocations().score(wire.NPY, b"", body.getvalue()) == 0.25
    assert wire.v2("bench").score(wire.JSON, b"", b'{"outputs": [{"data": [[0.25]]}, {"data": [9]}]}') == 0.25
    head, description = b"HTTP/1.1 200 OK\r\nInference-Header-Content-Length: 2", b"{}"
    binary = description + np.array([0.25, 9], dtype=np.float32).tobytes()
    assert wire.v2("bench").score(wire.NPY, head, binary) == 0.25


def test_a_binary_answer_must_say_where_its_tensors_begin() -> None:
    with pytest.raises(wire.WireError, match="Inference-Header-Content-Length"):
        wire.v2("bench").score(wire.NPY, b"HTTP/1.1 200 OK", b"....")
