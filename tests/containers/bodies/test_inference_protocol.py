"""The Open Inference Protocol: requests and answers in JSON and binary, metadata, and errors as it tells them."""

import json

import numpy as np
import pytest

from model_containers.serving.serving.answers import v2_problem_answer
from model_containers.serving.serving.bodies.v2.protocol import Call
from model_containers.serving.serving.problems import ProblemError
from tests.containers.bodies.models import IMAGE, JSON, LABELS, NUMBERS, formats, infer_body, protocol

OCTETS = "application/octet-stream"
SAGEMAKER = "application/vnd.sagemaker-triton.binary+json;json-header-size="
LENGTH = "inference-header-content-length"
NAN = float("nan")
ROWS = [[1.0, 2.0], [3.0, 4.0]]
OUTPUTS = [np.array([0.1, 0.25], np.float32), np.array([0, 1])]
RED_AND_DARK = b"\3\0\0\0red" + b"\x0b\0\0\0green, dark"


def tensor(name="x", shape=(2, 2), datatype="FP32", **fields):
    return {"name": name, "shape": list(shape), "datatype": datatype} | fields


def binary(array, name="x", datatype="FP32", **fields):
    size = len(array) if isinstance(array, bytes) else array.nbytes
    return tensor(name, fields.pop("shape", np.shape(array)), datatype, parameters={"binary_data_size": size})


def read(model, inputs, *data, **fields):
    body, size = infer_body(inputs, *data, **fields)
    return protocol(model).exchange(size if data else None).read(body)


def answer(model=NUMBERS, outputs=OUTPUTS, **fields):
    body, _ = infer_body([tensor(data=ROWS)], **fields)
    exchange = protocol(model).exchange(None)
    exchange.read(body)
    return exchange.write(outputs)


FORMS = {
    "nested": [tensor(data=ROWS)],
    "flat": [tensor(data=[1, 2, 3, 4])],
    "64 bits": [tensor(datatype="FP64", data=ROWS)],
    "16 bits": [tensor(datatype="FP16", data=ROWS)],
    "whole numbers": [tensor(datatype="UINT8", data=ROWS)],
    "columns": [tensor("b", [2], data=[2, 4]), tensor("a", [2], data=[1, 3])],
    "columns of one value a row": [tensor("a", [2, 1], data=[[1], [3]]), tensor("b", [2, 1], "INT64", data=[2, 4])],
    "what is for others": [tensor(data=ROWS, parameters={"content_type": "np"}, extra={"deep": [1]})],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_json_means_the_same(form):
    np.testing.assert_array_equal(read(NUMBERS, FORMS[form], model_name="rain"), ROWS)


@pytest.mark.parametrize(
    ("datatype", "dtype"),
    [("FP16", "<f2"), ("FP32", "<f4"), ("FP64", "<f8"), ("INT8", "i1"), ("INT64", "<i8"), ("UINT16", "<u2")],
)
def test_binary_data_follow_the_json(datatype, dtype):
    array = np.array(ROWS, dtype)

    np.testing.assert_array_equal(read(NUMBERS, [binary(array, datatype=datatype)], array.tobytes()), ROWS)


@pytest.mark.parametrize("padding", range(4))
def test_binary_data_are_aligned_wherever_they_begin(padding):
    array = np.array(ROWS, "<f4")

    assert read(NUMBERS, [binary(array)], array.tobytes(), id="1" * padding).flags.aligned


def test_binary_data_of_several_inputs_follow_each_other_beside_json():
    a, b = np.array([1, 3], "<f4"), np.array([2, 4], "<i8")

    together = read(NUMBERS, [binary(b, "b", "INT64"), binary(a, "a")], b.tobytes(), a.tobytes())
    mixed = read(NUMBERS, [tensor("b", [2], data=[2, 4]), binary(a, "a")], a.tobytes())

    np.testing.assert_array_equal(together, ROWS)
    np.testing.assert_array_equal(mixed, ROWS)


def test_null_is_missing():
    np.testing.assert_array_equal(read(NUMBERS, [tensor(shape=[1, 2], data=[1, None])]), [[1, NAN]])


def test_strings_become_the_index_of_their_category():
    colours = ["red", "green, dark"]
    a = tensor("a", [2], data=[1, 2])

    as_json = read(LABELS, [a, tensor("colour", [2], "BYTES", data=colours)])
    as_bytes = read(LABELS, [a, binary(RED_AND_DARK, "colour", "BYTES", shape=[2, 1])], RED_AND_DARK)
    as_indices = read(LABELS, [tensor(data=[[1, 0], [2, 1]])])

    for rows in (as_json, as_bytes, as_indices):
        np.testing.assert_array_equal(rows, [[1, 0], [2, 1]])


def test_unknown_category_is_named_by_row_and_column():
    with pytest.raises(ProblemError, match="row 1, column 'colour': 'blue' is not one of the categories"):
        read(LABELS, [tensor("a", [1], data=[1]), tensor("colour", [1], "BYTES", data=["blue"])])


def test_tensor_has_the_models_shape():
    np.testing.assert_array_equal(read(IMAGE, [tensor(shape=[1, 2, 2], data=[[[0, 1], [1, 0]]])]), [[0, 1, 1, 0]])


ASIDE = binary(np.zeros((2, 2), "<f4"))
MALFORMED = {
    "no JSON": ("[", "not an inference request"),
    "no inputs": ({}, "missing required field `inputs`"),
    "no input": ({"inputs": []}, "input 'a' is missing"),
    "an input of another name": (
        [tensor("y", data=ROWS)],
        "no input 'y'; the model takes x, or one tensor each of a, b",
    ),
    "a column missing": ([tensor("a", [1], data=[1])], "input 'b' is missing"),
    "an input twice": ([tensor("a", [1], data=[1])] * 2, "two inputs 'a'"),
    "inputs of different length": ([tensor("a", [1], data=[1]), tensor("b", [2], data=[1, 2])], "differ in length"),
    "another width": ([tensor(shape=[1, 3], data=[1, 2, 3])], "shape [1, 3]; the model takes [rows, 2]"),
    "a shape that the data lack": ([tensor(data=[1, 2, 3])], "but the data hold 3 values"),
    "nesting of another shape": ([tensor(data=[[1, 2, 3, 4]])], "of shape [2, 2]"),
    "lists of different length": ([tensor(data=[[1, 2], [3]])], "are not FP32"),
    "lists of strings of different length": (
        [tensor(shape=[2, 1], name="a", datatype="BYTES", data=[["a"], ["b", "c"]])],
        "data are of shape [2]",
    ),
    "a negative extent": ([tensor(shape=[-1, 2], data=ROWS)], "`int` >= 0"),
    "no row": ([tensor(shape=[0, 2], data=[])], "no row"),
    "BOOL": ([tensor(datatype="BOOL", data=[True] * 4)], "datatype BOOL; send one of FP16"),
    "a string of a number": ([tensor(data=["1", 2, 3, 4])], "Expected `float | null`, got `str` - at `$[0]`"),
    "true, nested": ([tensor(data=[[1, True], [1, 1]])], "got `bool` - at `$[0][1]`"),
    "what the datatype does not hold": ([tensor(datatype="UINT8", data=[1, 2, 3, 256])], "not all UINT8"),
    "a fraction": ([tensor(datatype="INT64", data=[1, 2, 3, 0.5])], "not all INT64"),
    "strings for a column of numbers": ([tensor(datatype="BYTES", data=["a"] * 4)], "column 'a': 'a' is not a number"),
    "neither data nor size": ([tensor()], "either data or the parameter binary_data_size"),
    "both data and size": ([ASIDE | {"data": ROWS}], "either data or the parameter binary_data_size"),
    "no binary data": ([ASIDE], "has 16 bytes of binary data; the body has 0 left"),
    "an output of another name": ({"inputs": FORMS["flat"], "outputs": [{"name": "p"}]}, "gives probability, rain"),
    "an output asked for twice": ({"inputs": FORMS["flat"], "outputs": [{"name": "rain"}] * 2}, "asked for twice"),
    "a classification": (
        {"inputs": FORMS["flat"], "outputs": [{"name": "rain", "parameters": {"classification": 2}}]},
        "classification",
    ),
    "an id that is no string": ({"inputs": FORMS["flat"], "id": 1}, "`$.id`"),
}


@pytest.mark.parametrize("offence", MALFORMED)
def test_malformed_request_is_refused_saying_what_is_wrong(offence):
    content, reason = MALFORMED[offence]
    body = json.dumps({"inputs": content} if isinstance(content, list) else content).encode()

    with pytest.raises(ProblemError) as refusal:
        protocol(NUMBERS).exchange(None).read(b"[" if content == "[" else body)

    assert refusal.value.status == 400
    assert reason in refusal.value.detail


@pytest.mark.parametrize(
    ("inputs", "data", "reason"),
    [
        ([ASIDE], b"\0" * 15, "the body has 15 left"),
        ([ASIDE], b"\0" * 17, "take 16 bytes of binary data; the body has 17"),
        ([ASIDE | {"shape": [1, 2]}], b"\0" * 16, "hold 16 bytes"),
        ([binary(b"\4\0\0\0red", datatype="BYTES", shape=[1, 2])], b"\4\0\0\0red", "within an element"),
        ([binary(RED_AND_DARK, datatype="BYTES", shape=[1, 2])] * 1, RED_AND_DARK, "'red' is not a number"),
        ([binary(b"\1\0\0\0\xff", "a", "BYTES", shape=[1])], b"\1\0\0\0\xff", "not UTF-8"),
        ([binary(RED_AND_DARK, "a", "BYTES", shape=[1])], RED_AND_DARK, "left over"),
    ],
)
def test_binary_data_that_do_not_fit_are_refused(inputs, data, reason):
    with pytest.raises(ProblemError, match=reason):
        read(NUMBERS, inputs, data)


@pytest.mark.parametrize("size", ["", "x", "-1", "1" * 11, "\u0661"])
def test_header_length_that_is_no_number_is_refused(size):
    with pytest.raises(ProblemError, match="bytes of the body are JSON"):
        protocol(NUMBERS).exchange(size)
    with pytest.raises(ProblemError, match="bytes of the body are JSON"):
        formats(NUMBERS).exchange(SAGEMAKER + size, "")


def test_header_longer_than_the_body_is_refused():
    with pytest.raises(ProblemError, match="is to take 3 bytes; the body has 2"):
        protocol(NUMBERS).exchange("3").read(b"{}")


@pytest.mark.parametrize(
    "inputs", [[tensor(shape=[4, 2], data=[0] * 8)], [tensor(data=[[0]] * 5_000)], [tensor(shape=[2**62, 2], data=[])]]
)
def test_more_rows_than_allowed_are_refused(inputs):
    with pytest.raises(ProblemError) as refusal:
        read(NUMBERS, inputs)
    assert refusal.value.status == 413


def test_answer_in_json_has_all_outputs_and_the_id():
    assert answer(id="42").content_type == JSON
    assert json.loads(answer(id="42").body) == {
        "model_name": "rain",
        "model_version": "7",
        "id": "42",
        "outputs": [
            {"name": "probability", "datatype": "FP32", "shape": [2], "data": [0.1, 0.25]},
            {"name": "rain", "datatype": "INT64", "shape": [2], "data": [0, 1]},
        ],
    }
    assert "id" not in json.loads(answer().body)


def test_only_the_outputs_asked_for_are_answered_in_their_order():
    outputs = json.loads(answer().body)["outputs"]
    assert [each["name"] for each in outputs] == ["probability", "rain"]

    body, _ = infer_body([tensor(data=ROWS)], outputs=[{"name": "rain"}])
    exchange = protocol(NUMBERS).exchange(None)
    exchange.read(body)
    assert [each["name"] for each in json.loads(exchange.write(OUTPUTS).body)["outputs"]] == ["rain"]


def test_answer_in_binary_says_where_its_json_ends():
    written = answer(parameters={"binary_data_output": True})
    size = int(written.headers[LENGTH])
    head = json.loads(written.body[:size])

    assert written.content_type == OCTETS
    assert [each["parameters"]["binary_data_size"] for each in head["outputs"]] == [8, 16]
    assert "data" not in head["outputs"][0]
    np.testing.assert_array_equal(np.frombuffer(written.body, "<f4", 2, size), OUTPUTS[0])
    np.testing.assert_array_equal(np.frombuffer(written.body, "<i8", 2, size + 8), OUTPUTS[1])


def test_each_output_may_be_asked_for_in_its_own_form():
    body, _ = infer_body(
        [tensor(data=ROWS)],
        outputs=[{"name": "rain", "parameters": {"binary_data": False}}, {"name": "probability"}],
        parameters={"binary_data_output": True},
    )
    exchange = protocol(NUMBERS).exchange(None)
    exchange.read(body)
    written = exchange.write(OUTPUTS)
    size = int(written.headers[LENGTH])

    rain, probability = json.loads(written.body[:size])["outputs"]
    assert rain["data"] == [0, 1]
    assert probability["parameters"] == {"binary_data_size": 8}
    assert written.body[size:] == OUTPUTS[0].tobytes()


@pytest.mark.parametrize(
    ("output", "datatype", "data", "raw"),
    [
        (np.array([True, False]), "BOOL", [True, False], b"\1\0"),
        (np.array(["red", "é"]), "BYTES", ["red", "é"], b"\3\0\0\0red\2\0\0\0\xc3\xa9"),
        (np.array(["red", "é"], object), "BYTES", ["red", "é"], b"\3\0\0\0red\2\0\0\0\xc3\xa9"),
        (np.array([[1, 2], [3, 4]], np.int8), "INT8", [1, 2, 3, 4], b"\1\2\3\4"),
        (np.array([[1, 2], [3, 4]], np.int8).T, "INT8", [1, 3, 2, 4], b"\1\3\2\4"),
    ],
)
def test_every_kind_of_output_is_answered(output, datatype, data, raw):
    outputs = [OUTPUTS[0], output]
    written = answer(outputs=outputs, parameters={"binary_data_output": True})
    assert written.body.endswith(OUTPUTS[0].tobytes() + raw)
    described = json.loads(answer(outputs=outputs).body)["outputs"][1]
    assert described == {"name": "rain", "datatype": datatype, "shape": list(output.shape), "data": data}


def test_sagemakers_content_type_says_where_the_json_ends_both_ways():
    array = np.array(ROWS, "<f4")
    body, size = infer_body([binary(array)], array.tobytes(), parameters={"binary_data_output": True})
    exchange = formats(NUMBERS).exchange(SAGEMAKER + size, "*/*")

    np.testing.assert_array_equal(exchange.read(body), ROWS)
    written = exchange.write(OUTPUTS)

    assert written.content_type.startswith(SAGEMAKER)
    end = int(written.content_type.removeprefix(SAGEMAKER))
    assert json.loads(written.body[:end])["outputs"][0]["name"] == "probability"
    assert dict(written.headers) == {}


def test_exchanges_of_requests_share_nothing():
    first = formats(NUMBERS).exchange(f"{SAGEMAKER}0", "")

    assert first is not formats(NUMBERS).exchange(f"{SAGEMAKER}0", "")
    assert protocol(NUMBERS).exchange(None) is not protocol(NUMBERS).exchange(None)


@pytest.mark.parametrize(
    ("method", "path", "call"),
    [
        ("GET", "/v2", Call.SERVER),
        ("GET", "/v2/", Call.SERVER),
        ("GET", "/v2/health/live", Call.LIVE),
        ("GET", "/v2/health/ready", Call.READY),
        ("GET", "/v2/models/rain", Call.MODEL),
        ("GET", "/v2/models/rain/versions/7", Call.MODEL),
        ("GET", "/v2/models/rain/ready", Call.MODEL_READY),
        ("GET", "/v2/models/rain/versions/7/ready", Call.MODEL_READY),
        ("POST", "/v2/models/rain/infer", Call.INFER),
        ("POST", "/v2/models/rain/versions/7/infer", Call.INFER),
    ],
)
def test_routes_are_those_of_the_protocol(method, path, call):
    assert protocol(NUMBERS).route(method, path) is call


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/v2/models", 404, "there is no /v2/models"),
        ("GET", "/v2x", 404, "there is no"),
        ("GET", "/v2/models/snow", 404, "no model snow; there is rain, version 7"),
        ("POST", "/v2/models/rain/versions/8/infer", 404, "no model rain, version 8"),
        ("POST", "/v2/models/rain", 405, "takes GET"),
        ("GET", "/v2/models/rain/infer", 405, "takes POST"),
    ],
)
def test_other_routes_are_refused(method, path, status, reason):
    with pytest.raises(ProblemError, match=reason) as refusal:
        protocol(NUMBERS).route(method, path)
    assert refusal.value.status == status


def said(call, model=NUMBERS, ready=True):
    status, written = protocol(model).answer(call, ready=ready)
    assert written.content_type == JSON
    return status, json.loads(written.body)


def test_server_says_what_it_is_and_whether_it_is_ready():
    assert said(Call.SERVER) == (200, {"name": "tidegate", "version": "1", "extensions": ["binary_tensor_data"]})
    assert said(Call.LIVE, ready=False) == (200, {"live": True})
    assert said(Call.READY) == (200, {"ready": True})
    assert said(Call.READY, ready=False) == (503, {"ready": False})
    assert said(Call.MODEL_READY, ready=False) == (503, {"name": "rain", "ready": False})


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        (NUMBERS, [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]),
        (IMAGE, [{"name": "x", "datatype": "FP32", "shape": [-1, 2, 2]}]),
        (
            LABELS,
            [
                {"name": "a", "datatype": "FP32", "shape": [-1]},
                {"name": "colour", "datatype": "BYTES", "shape": [-1]},
            ],
        ),
    ],
)
def test_model_says_what_it_takes(model, inputs):
    status, fields = said(Call.MODEL, model)

    assert (status, fields["inputs"]) == (200, inputs)
    assert (fields["name"], fields["versions"], fields["platform"]) == ("rain", ["7"], "onnx_onnxv1")


def test_model_says_what_it_gives_once_it_has_been_seen_to():
    known = protocol(NUMBERS)
    known.learn([np.zeros((1, 3), np.float32), np.array(["dry"])])

    outputs = json.loads(known.answer(Call.MODEL, ready=True)[1].body)["outputs"]

    assert outputs == [
        {"name": "probability", "datatype": "FP32", "shape": [-1, 3]},
        {"name": "rain", "datatype": "BYTES", "shape": [-1]},
    ]


def test_problem_is_told_as_an_error():
    written = v2_problem_answer(ProblemError(400, "malformed body", "send JSON"))

    assert (written.content_type, json.loads(written.body)) == (JSON, {"error": "malformed body: send JSON"})
