"""NVIDIA's client of the Open Inference Protocol, as people use it, against the real server."""

from collections.abc import Iterator

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from bench.fuzz import targets
from model_containers.training import replay

MODEL = "model"
ROWS = np.array([[float(cell) for cell in line.split(",")] for line in replay.rows(8_000, 8_003)], np.float32)


@pytest.fixture
def client(bootstrap) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(f"127.0.0.1:{bootstrap.port}") as client:
        yield client


@pytest.fixture(scope="module")
def labels(tmp_path_factory) -> Iterator[triton.InferenceServerClient]:
    """A client of a model with a column of strings; its outputs are the mean and the largest of a row."""
    with (
        targets.serving(targets.LABELS, tmp_path_factory.mktemp("labels")) as served,
        triton.InferenceServerClient(f"127.0.0.1:{served.port}") as client,
    ):
        yield client


def tensor(name: str, values: np.ndarray, datatype: str, *, binary: bool) -> triton.InferInput:
    described = triton.InferInput(name, list(values.shape), datatype)
    described.set_data_from_numpy(values, binary_data=binary)
    return described


@pytest.fixture(scope="module")
def expected(bootstrap) -> np.ndarray:
    """What the server says through SageMaker's own door: rows of probability and rain."""
    body = "\n".join(replay.rows(8_000, 8_003))
    return np.array([list(each.values()) for each in bootstrap.invoke(body).json["predictions"]])


def test_server_and_model_are_live_and_ready(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, "1")
    assert not client.is_model_ready("another")


def test_metadata_tell_what_to_send_and_what_comes_back(client):
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = client.get_model_metadata(MODEL)

    (taken,) = metadata["inputs"]
    assert taken == {"name": taken["name"], "datatype": "FP32", "shape": [-1, len(replay.FEATURES)]}
    assert [each["name"] for each in metadata["outputs"]] == ["probability", "rain"]
    outputs = client.infer(MODEL, [tensor(taken["name"], ROWS, "FP32", binary=True)]).get_response()["outputs"]
    assert [each["datatype"] for each in outputs] == [each["datatype"] for each in metadata["outputs"]]


@pytest.mark.parametrize("sent_binary", [False, True])
@pytest.mark.parametrize("answered_binary", [False, True])
@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
def test_rows_are_answered_in_json_and_in_binary(client, expected, sent_binary, answered_binary, datatype):
    name = client.get_model_metadata(MODEL)["inputs"][0]["name"]
    rows = ROWS if datatype == "FP32" else np.round(ROWS.astype(np.float64), 4)
    asked = [triton.InferRequestedOutput(each, binary_data=answered_binary) for each in ("rain", "probability")]

    result = client.infer(
        MODEL, [tensor(name, rows, datatype, binary=sent_binary)], outputs=asked, request_id="a request of ours"
    )

    response = result.get_response()
    assert (response["id"], response["model_name"], response["model_version"]) == ("a request of ours", MODEL, "1")
    assert [each["name"] for each in response["outputs"]] == ["rain", "probability"], "as asked for"
    np.testing.assert_allclose(result.as_numpy("probability").reshape(-1), expected[:, 0], atol=1e-4)
    np.testing.assert_array_equal(result.as_numpy("rain").reshape(-1), expected[:, 1])


@pytest.mark.parametrize("binary", [False, True])
def test_columns_may_be_sent_as_tensors_of_their_own(client, expected, binary):
    columns = [
        tensor(name, np.ascontiguousarray(ROWS[:, [place]]), "FP32", binary=binary)
        for place, name in enumerate(replay.FEATURES)
    ]

    result = client.infer(MODEL, list(reversed(columns)))

    np.testing.assert_allclose(result.as_numpy("probability").reshape(-1), expected[:, 0], atol=1e-4)


def test_only_the_outputs_asked_for_come_back(client):
    name = client.get_model_metadata(MODEL)["inputs"][0]["name"]

    result = client.infer(
        MODEL, [tensor(name, ROWS, "FP32", binary=True)], outputs=[triton.InferRequestedOutput("rain")]
    )

    assert [each["name"] for each in result.get_response()["outputs"]] == ["rain"]
    assert result.as_numpy("probability") is None


@pytest.mark.parametrize("binary", [False, True])
def test_strings_are_sent_as_bytes(labels, binary):
    metadata = labels.get_model_metadata(MODEL)
    assert {each["name"]: each["datatype"] for each in metadata["inputs"]}["colour"] == "BYTES"

    result = labels.infer(
        MODEL,
        [
            tensor("size", np.array([1.5, -4], np.float32), "FP32", binary=binary),
            tensor("colour", np.array(["green, dark", "red"], object), "BYTES", binary=binary),
            tensor("doors", np.array([5, 3], np.int64), "INT64", binary=binary),
        ],
    )

    np.testing.assert_allclose(result.as_numpy("score"), [2.5, -1 / 3], rtol=1e-6)
    np.testing.assert_allclose(result.as_numpy("most"), [5, 3])


def refusal(client: triton.InferenceServerClient, *inputs: triton.InferInput, model: str = MODEL, **more) -> str:
    with pytest.raises(InferenceServerException) as error:
        client.infer(model, list(inputs), **more)
    assert error.value.status() in ("400", "404", "415"), error.value
    return error.value.message()


def test_errors_are_told_as_the_client_expects_them(client):
    name = client.get_model_metadata(MODEL)["inputs"][0]["name"]
    good = tensor(name, ROWS, "FP32", binary=True)

    def ask(values: np.ndarray, datatype: str = "FP32") -> str:
        return refusal(client, tensor(name, values, datatype, binary=True))

    assert "there is no model another" in refusal(client, good, model="another")
    assert "there is no model" in refusal(client, good, model_version="2")
    assert name in refusal(client, tensor("another", ROWS, "FP32", binary=True))
    assert "another" in refusal(client, good, outputs=[triton.InferRequestedOutput("another")])
    assert "8" in ask(ROWS[:, :7])
    assert "row 2, column 'temperature'" in ask(np.where(np.arange(3)[:, None] == 1, np.float32(1e6), ROWS))
    assert "datatype" in ask(ROWS > 0, "BOOL")
    assert client.infer(MODEL, [good]).as_numpy("rain").shape[0] == 3, "and the connection is as good as ever"


def test_many_at_a_time_get_their_own_answers(bootstrap, expected):
    name = "rows"
    with triton.InferenceServerClient(f"127.0.0.1:{bootstrap.port}", concurrency=16) as client:
        name = client.get_model_metadata(MODEL)["inputs"][0]["name"]
        waiting = [
            client.async_infer(MODEL, [tensor(name, ROWS[each % 3 :][:1], "FP32", binary=True)], request_id=str(each))
            for each in range(200)
        ]
        results = [each.get_result(timeout=60) for each in waiting]

    assert [each.get_response()["id"] for each in results] == [str(each) for each in range(200)]
    given = np.array([each.as_numpy("probability").reshape(-1)[0] for each in results])
    np.testing.assert_allclose(given, np.resize(expected[:, 0], 200), atol=1e-4)


def test_compressed_bodies_are_refused_and_answers_are_never_compressed(client):
    name = client.get_model_metadata(MODEL)["inputs"][0]["name"]

    refusal(client, tensor(name, ROWS, "FP32", binary=True), request_compression_algorithm="gzip")
    plain = client.infer(
        MODEL, [tensor(name, ROWS, "FP32", binary=True)], response_compression_algorithm="gzip", query_params={"q": 1}
    )
    assert plain.as_numpy("rain").shape[0] == 3
