"""The real ONNX Runtime on the CPU, behind the session."""

import numpy as np
import onnx
import pytest
from onnx import helper

from model_containers.serving.serving.device import UnsupportedModelError, open_session
from model_containers.serving.serving.device.cpu import BOUND_ROWS
from model_containers.serving.serving.problems import ModelFailedError
from tests.containers.device.conftest import signature

FLOAT, INT64, STRING = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.STRING
TOTAL = helper.make_node("ReduceSum", ["x", "axis"], ["y"], keepdims=0)
AXIS = {"axis": np.array([1], dtype=np.int64)}


def rows(count, width=3):
    return np.arange(count * width, dtype=np.float32).reshape(count, width)


@pytest.fixture
def total(write_model, options):
    """The sum of each row."""
    return open_session(write_model([TOTAL], [("y", FLOAT, ["rows"])], constants=AXIS), signature(), options())


@pytest.mark.parametrize("count", [1, 2, BOUND_ROWS, BOUND_ROWS + 1, 500])
def test_any_number_of_rows_is_answered(total, count):
    (answer,) = total.run(rows(count))

    assert answer.shape == (count,)
    np.testing.assert_array_equal(answer, rows(count).sum(axis=1))
    assert total.buckets == ()
    assert total.providers == ("CPUExecutionProvider",)


def test_no_rows_are_answered_with_none(total):
    (answer,) = total.run(rows(0))

    assert answer.shape == (0,)


def test_answer_stays_when_the_next_one_comes(total):
    (first,) = total.run(rows(2))
    (second,) = total.run(rows(2) + 1)

    np.testing.assert_array_equal(first, rows(2).sum(axis=1))
    np.testing.assert_array_equal(second, rows(2).sum(axis=1) + 3)


def test_few_rows_go_through_binding_and_many_do_not(total, monkeypatch):
    total.run(rows(5))
    monkeypatch.setattr(total, "_session", None)  # what is bound keeps its own

    total.run(rows(5))
    with pytest.raises(ModelFailedError):
        total.run(rows(BOUND_ROWS + 1))


def test_rows_of_the_wrong_width_are_not_stretched(total):
    total.run(rows(2))

    with pytest.raises(ModelFailedError, match=r"\(2, 1\)"):
        total.run(rows(2, width=1))


def test_column_of_answers_comes_flat(write_model, options):
    keep = helper.make_node("ReduceSum", ["x", "axis"], ["y"], keepdims=1)
    session = open_session(write_model([keep], [("y", FLOAT, ["rows", 1])], constants=AXIS), signature(), options())

    assert session.run(rows(4))[0].shape == (4,)
    assert session.run(rows(100))[0].shape == (100,)


def test_wide_answers_keep_their_shape(write_model, options):
    twice = helper.make_node("Add", ["x", "x"], ["y"])
    session = open_session(write_model([twice], [("y", FLOAT, ["rows", 3])]), signature(), options())

    np.testing.assert_array_equal(session.run(rows(4))[0], 2 * rows(4))


def test_outputs_come_in_the_signatures_order(write_model, options):
    nodes = [TOTAL, helper.make_node("Cast", ["y"], ["z"], to=INT64)]
    folder = write_model(nodes, [("y", FLOAT, ["rows"]), ("z", INT64, ["rows"])], constants=AXIS)

    z, y = open_session(folder, signature(outputs=("z", "y")), options()).run(rows(2))

    assert (z.dtype, y.dtype) == (np.int64, np.float32)


def test_model_whose_file_is_wrong_about_its_output_is_run_without_binding(write_model, options):
    """The file promises three columns, the model gives six: it repeats its input by a number that it works out."""
    make = helper.make_node
    nodes = [
        make("Mul", ["x", "nothing"], ["zeros"]),
        make("ReduceSum", ["zeros", "axes"], ["zero"], keepdims=0),
        make("Add", ["zero", "once_and_twice"], ["times"]),
        make("Cast", ["times"], ["repeats"], to=INT64),
        make("Tile", ["x", "repeats"], ["y"]),
    ]
    constants = {
        "nothing": np.float32(0),
        "axes": np.array([0, 1], dtype=np.int64),
        "once_and_twice": np.array([1, 2], dtype=np.float32),
    }
    session = open_session(write_model(nodes, [("y", FLOAT, ["rows", 3])], constants=constants), signature(), options())

    np.testing.assert_array_equal(session.run(rows(2))[0], np.tile(rows(2), 2))


def test_strings_are_answered(write_model, options):
    nodes = [TOTAL, helper.make_node("Cast", ["y"], ["text"], to=STRING)]
    folder = write_model(nodes, [("text", STRING, ["rows"])], constants=AXIS)

    session = open_session(folder, signature(outputs=("text",)), options())

    assert session.run(rows(2))[0].tolist() == ["3", "12"]
    assert session.run(rows(0))[0].tolist() == []


def test_model_of_a_fixed_batch_takes_that_batch_only(write_model, options):
    folder = write_model([TOTAL], [("y", FLOAT, [4])], inputs=(("x", [4, 3]),), constants=AXIS)

    session = open_session(folder, signature(), options())

    assert session.buckets == (4,)
    assert len(session.bucket_seconds) == 1
    assert session.bucket_seconds[0] > 0
    assert session.run(rows(4))[0].shape == (4,)


def test_failure_carries_the_words_of_onnx_runtime(write_model, options):
    nodes = [
        helper.make_node("Cast", ["x"], ["index"], to=INT64),
        helper.make_node("Gather", ["table", "index"], ["y"]),
    ]
    table = {"table": np.arange(8, dtype=np.float32)}
    folder = write_model(nodes, [("y", FLOAT, ["rows", 3])], constants=table)
    session = open_session(folder, signature(), options())

    for count in (1, BOUND_ROWS + 1):
        with pytest.raises(ModelFailedError, match="out of data bounds"):
            session.run(rows(count) + 100)
    assert session.run(np.ones((1, 3), np.float32))[0].tolist() == [[1.0, 1.0, 1.0]]


def test_model_that_fails_on_its_own_sample_is_not_opened(write_model, options):
    nodes = [
        helper.make_node("Cast", ["x"], ["index"], to=INT64),
        helper.make_node("Gather", ["table", "index"], ["y"]),
    ]
    folder = write_model(nodes, [("y", FLOAT, ["rows", 3])], constants={"table": np.zeros(2, np.float32)})

    with pytest.raises(ModelFailedError, match="out of data bounds"):
        open_session(folder, signature(), options())


def test_several_inputs_are_refused(write_model, options):
    both = helper.make_node("Add", ["x", "w"], ["y"])
    folder = write_model([both], [("y", FLOAT, ["rows", 3])], inputs=(("x", ["rows", 3]), ("w", ["rows", 3])))

    with pytest.raises(UnsupportedModelError, match=r"2 inputs \('x', 'w'\).*concatenate"):
        open_session(folder, signature(), options())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 4}, r"rows of shape \(3,\) in 'x', signature.json says \(4,\)"),
        ({"tensor": "rows"}, "takes 'x', signature.json says 'rows'"),
        ({"outputs": ("probability",)}, r"from tensor 'probability'; model.onnx gives \['y'\]"),
    ],
)
def test_model_that_is_not_what_its_signature_says_is_refused(write_model, options, changes, message):
    folder = write_model([TOTAL], [("y", FLOAT, ["rows"])], constants=AXIS)

    with pytest.raises(UnsupportedModelError, match=message):
        open_session(folder, signature(**changes), options())


def test_output_without_an_entry_for_each_row_is_refused(write_model, options):
    everything = helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)
    folder = write_model([everything], [("y", FLOAT, [])], constants={"axes": np.array([0, 1], dtype=np.int64)})

    with pytest.raises(UnsupportedModelError, match=r"output 'y' has shape \(\) for 1 rows"):
        open_session(folder, signature(), options())


def test_int8_without_a_quantised_model_is_refused(write_model, options):
    folder = write_model([TOTAL], [("y", FLOAT, ["rows"])], constants=AXIS)

    with pytest.raises(UnsupportedModelError, match=r"TIDEGATE_PRECISION=int8.*training quantise"):
        open_session(folder, signature(), options(precision="int8"))


def test_threads_come_from_the_settings(write_model, options):
    folder = write_model([TOTAL], [("y", FLOAT, ["rows"])], constants=AXIS)

    session = open_session(folder, signature(), options(intra_op_threads=2))

    assert session._session.get_session_options().intra_op_num_threads == 2
