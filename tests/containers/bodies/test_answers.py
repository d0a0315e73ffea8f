"""Answers written: the shortest text of each number, in the form that was asked for."""

import csv
import io
import json

import numpy as np
import pytest

from model_containers.serving.serving.bodies.exchange import Written
from model_containers.serving.serving.problems import ProblemError
from tests.containers.bodies.models import CSV, JSON, LINES, NDJSON, NPY, NUMBERS, formats, signature

OUTPUTS = [np.array([0.1, 0.25], np.float32), np.array([0, 1])]


def write(accept: str, *outputs: np.ndarray) -> Written:
    return formats(NUMBERS).exchange(JSON, accept).write(outputs)


def as_predictions(*outputs: np.ndarray) -> list[dict[str, object]]:
    return json.loads(write(JSON, *outputs).body)["predictions"]


@pytest.mark.parametrize(
    ("accept", "content_type", "body"),
    [
        ("", JSON, b'{"predictions":[{"probability":0.1,"rain":0},{"probability":0.25,"rain":1}]}'),
        (LINES, LINES, b'{"probability":0.1,"rain":0}\n{"probability":0.25,"rain":1}\n'),
        (NDJSON, NDJSON, b'{"probability":0.1,"rain":0}\n{"probability":0.25,"rain":1}\n'),
        (CSV, CSV, b"0.1,0\n0.25,1\n"),
        ("text/*", CSV, b"0.1,0\n0.25,1\n"),
        ("*/*", JSON, b'{"predictions":[{"probability":0.1,"rain":0},{"probability":0.25,"rain":1}]}'),
    ],
)
def test_answer_comes_in_the_form_asked_for(accept, content_type, body):
    assert write(accept, *OUTPUTS) == Written(content_type, body)


def test_npy_answer_is_one_array_of_floats():
    answer = write(NPY, OUTPUTS[0], np.array([[1, 2], [3, 4]]))
    array = np.load(io.BytesIO(answer.body))

    assert answer.content_type == NPY
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, np.array([[0.1, 1, 2], [0.25, 3, 4]], np.float32))
    assert (len(answer.body) - array.nbytes) % 64 == 0


@pytest.mark.parametrize("rows", [1, 2, 11, 1000])
def test_any_number_of_rows_is_written(rows):
    numbers = np.arange(rows, dtype=np.float64) / 7

    assert [each["probability"] for each in as_predictions(numbers, numbers)] == numbers.tolist()
    assert len(np.load(io.BytesIO(write(NPY, numbers, numbers).body))) == rows


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.uint8, np.bool_])
def test_every_dtype_is_written(dtype):
    output = np.array([0, 1], dtype)

    assert [each["rain"] for each in as_predictions(OUTPUTS[0], output)] == [0, 1]
    assert write(CSV, output, output).body in (b"0.0,0.0\n1.0,1.0\n", b"0,0\n1,1\n", b"false,false\ntrue,true\n")


def test_output_of_several_values_is_a_list_in_json_and_cells_in_csv():
    several = np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)

    assert as_predictions(several, OUTPUTS[1])[1] == {"probability": [0.3, 0.4], "rain": 1}
    assert write(CSV, several, OUTPUTS[1]).body == b"0.1,0.2,0\n0.3,0.4,1\n"


def test_output_of_one_column_is_a_scalar():
    assert as_predictions(OUTPUTS[0].reshape(2, 1), OUTPUTS[1])[0]["probability"] == 0.1


def test_output_of_more_axes_is_nested():
    assert as_predictions(np.zeros((2, 2, 2)), OUTPUTS[1])[0]["probability"] == [[0, 0], [0, 0]]


def test_part_of_a_larger_array_is_written():
    whole = np.array([[0.1, 9], [0.25, 9]], np.float32)

    assert as_predictions(whole[:, 0], OUTPUTS[1]) == as_predictions(*OUTPUTS)


@pytest.mark.parametrize("text", ["plain", 'a "quoted", one', "two\nlines", "naïve"])
@pytest.mark.parametrize("dtype", [object, str])
def test_strings_are_quoted_as_the_form_needs(text, dtype):
    strings = np.array([text, ""], dtype)

    assert [each["rain"] for each in as_predictions(OUTPUTS[0], strings)] == [text, ""]
    cells = list(csv.reader(io.StringIO(write(CSV, OUTPUTS[0], strings).body.decode(), newline="")))
    assert cells == [["0.1", text], ["0.25", ""]]


def test_strings_do_not_fit_an_array_of_numbers():
    with pytest.raises(ProblemError, match="output 'rain' is text") as refusal:
        write(NPY, OUTPUTS[0], np.array(["wet", "dry"]))
    assert refusal.value.status == 406


def test_what_is_no_number_is_null_in_json_and_named_in_csv():
    odd = np.array([np.nan, np.inf], np.float32)

    assert [each["rain"] for each in as_predictions(OUTPUTS[0], odd)] == [None, None]
    assert write(CSV, OUTPUTS[0], odd).body == b"0.1,nan\n0.25,inf\n"


def test_outputs_may_have_any_name():
    odd = formats(
        signature(
            columns=[{"name": "a", "dtype": "float32"}], sample=[[1]], outputs=[{"name": '100% "x"', "tensor": "p"}]
        )
    )

    assert json.loads(odd.exchange(JSON, "").write(OUTPUTS[1:]).body) == {
        "predictions": [{'100% "x"': 0}, {'100% "x"': 1}]
    }
