"""INT8 versions: made of a real model, measured on days that nobody has seen, and refused when they are worse."""

import io
import json
import tarfile

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from model_containers.serving.serving.device import open_session
from model_containers.serving.serving.signature import Signature
from model_containers.training import dataset, graph, quantise
from model_containers.training.__main__ import main
from model_containers.training.evaluation import evaluate, probabilities
from model_containers.training.quantise import Limits, NotQuantisableError, ToleranceError
from model_containers.training.quantise_columns import with_one_scale
from model_containers.training.versions import Trained, train

ROWS = np.array([[1000.0, 1.0, 5.0], [1020.0, 3.0, 5.0], [990.0, 2.0, 5.0]], dtype=np.float32)


@pytest.fixture(scope="module")
def trained():
    return train("1.0.0", dataset.load())


@pytest.fixture(scope="module")
def held_out():
    return dataset.load().measured().between(dataset.HELD_OUT)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The command's output folder for version 1.0.0, with its archive unpacked beside it."""
    output = tmp_path_factory.mktemp("int8")
    assert main(["quantise", "--version", "1.0.0", "--output", str(output)]) == 0
    folder = output / "1.0.0-int8"
    with tarfile.open(folder / "model.tar.gz") as archive:
        archive.extractall(output / "model", filter="data")
    return folder, output / "model"


def small(nodes, constants, shape=("rows", 3)):
    value = helper.make_tensor_value_info
    built = helper.make_graph(
        nodes,
        "small",
        [value("x", onnx.TensorProto.FLOAT, shape)],
        [value("y", onnx.TensorProto.FLOAT, None)],
        initializer=[numpy_helper.from_array(each, name) for name, each in constants.items()],
    )
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


def answers(model, rows):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": rows})[0]


def test_report_says_what_was_measured(made, trained, held_out):
    folder, model = made
    report = json.loads((folder / quantise.REPORT).read_text())
    int8 = onnx.load(str(model / "model.onnx"))

    assert report["float"] == evaluate(trained.model, held_out)
    assert report["int8"] == evaluate(int8, held_out)
    apart = np.abs(probabilities(trained.model, held_out) - probabilities(int8, held_out))
    assert report["largest_difference"] == pytest.approx(apart.max(), abs=1e-6)
    assert report["mean_difference"] == pytest.approx(apart.mean(), abs=1e-6)
    assert report["measured_on"] == {"first_row": 8000, "last_row": 11999, "days": len(held_out)}
    assert report["calibrated_on"]["last_row"] < 4000
    assert json.loads((model / quantise.REPORT).read_text()) == report


def test_int8_version_is_as_good_as_the_float_one(made):
    report = json.loads((made[0] / quantise.REPORT).read_text())

    assert report["float"]["auc"] - report["int8"]["auc"] < 0.001
    assert report["largest_difference"] < 0.1


def test_card_and_model_say_that_they_are_int8(made):
    folder, model = made
    card = json.loads((folder / "model_card.json").read_text())

    assert card["version"] == "1.0.0-int8"
    assert card["measured_on"]["metrics"] == card["quantisation"]["int8"]
    assert onnx.load(str(model / "model.onnx")).producer_version == "1.0.0-int8"


def test_scales_are_what_tensorrt_takes(made):
    int8 = onnx.load(str(made[1] / "model.onnx"))
    constants = {each.name: numpy_helper.to_array(each) for each in int8.graph.initializer}
    zero_points = [
        constants[node.input[2]] for node in int8.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")
    ]

    assert len(zero_points) == 3  # in and out for the rows, out for the weights
    assert all(each.dtype == np.int8 and not each.any() for each in zero_points)


def test_container_serves_the_int8_version(made, held_out, options):
    model = made[1]
    session = open_session(model, Signature.load(model / "signature.json"), options(precision="int8"))
    rows = held_out.measurements[:64].astype(np.float32)

    probability, rain = session.run(rows)

    expected = probabilities(onnx.load(str(model / "model.onnx")), held_out)[:64]
    np.testing.assert_allclose(probability, expected, atol=1e-6)
    assert rain.tolist() == (probability >= graph.THRESHOLD).tolist()


@pytest.mark.parametrize("limit", [("--tolerance", "0.0005"), ("--largest-difference", "0.01")])
def test_version_beyond_its_limits_is_not_written(tmp_path, limit, caplog):
    assert main(["quantise", "--version", "1.0.0", "--output", str(tmp_path / "out"), *limit]) == 1

    assert not (tmp_path / "out").exists()
    assert f"more than {limit[1]}" in caplog.text
    assert '"auc"' in caplog.text


def test_one_scale_for_unlike_columns_would_not_pass(trained, monkeypatch):
    monkeypatch.setattr(quantise, "with_one_scale", lambda model, rows: model)

    with pytest.raises(ToleranceError, match="auc goes from"):
        quantise.quantise(trained, dataset.load(), Limits())


def test_scales_come_from_the_days_that_the_version_was_trained_on(trained, monkeypatch):
    seen = []
    monkeypatch.setattr(quantise, "to_int8", lambda model, rows: seen.append(rows) or model)

    quantise.quantise(trained, dataset.load(), Limits())

    expected = dataset.load().measured().between(range(4_000)).measurements
    np.testing.assert_array_equal(seen[0], expected.astype(np.float32))


def test_days_that_measure_are_not_calibrated_on(trained):
    selection = trained.card["trained_on"] | {"last_row": dataset.HELD_OUT.start}

    with pytest.raises(ValueError, match="are to measure it"):
        quantise.quantise(Trained(trained.model, trained.card | {"trained_on": selection}), dataset.load(), Limits())


@pytest.mark.parametrize(
    ("version", "reason"), [("1.1.0", r"tree ensemble \(TreeEnsembleClassifier\)"), ("1.2.0", "within Scan")]
)
def test_versions_with_nothing_to_gain_say_why(artefacts, version, reason):
    with tarfile.open(artefacts / version / "model.tar.gz") as archive:
        model = onnx.load(io.BytesIO(archive.extractfile("model.onnx").read()))

    with pytest.raises(NotQuantisableError, match=reason):
        quantise.check_quantisable(model)


def test_version_with_nothing_to_gain_is_not_written(tmp_path, caplog, trained, monkeypatch):
    tree = small([helper.make_node("Abs", ["x"], ["y"])], {})
    monkeypatch.setattr(
        "model_containers.training.quantise_command.train", lambda version, days: Trained(tree, trained.card)
    )

    assert main(["quantise", "--version", "1.1.0", "--output", str(tmp_path / "out")]) == 1

    assert not (tmp_path / "out").exists()
    assert "has none of Conv" in caplog.text


@pytest.mark.parametrize("operator", ["MatMul", "Gemm", "Gemm with bias"])
def test_one_scale_changes_no_answer(operator):
    weights = np.array([[0.01, -0.02], [1.0, 2.0], [0.5, -1.0]], dtype=np.float32)
    constants = {"w": weights} | ({"b": np.array([1.0, -1.0], dtype=np.float32)} if "bias" in operator else {})
    model = small([helper.make_node(operator.split()[0], ["x", *constants], ["y"])], constants)
    before = model.SerializeToString()

    scaled = with_one_scale(model, ROWS)

    np.testing.assert_allclose(answers(scaled, ROWS), answers(model, ROWS), atol=1e-4)
    assert [node.op_type for node in scaled.graph.node] == ["Sub", "Div", "Gemm"]
    assert {each.name for each in scaled.graph.initializer}.isdisjoint({"w", "b"})
    assert model.SerializeToString() == before


@pytest.mark.parametrize(
    ("nodes", "constants", "shape"),
    [
        ([helper.make_node("Abs", ["x"], ["y"])], {}, ("rows", 3)),
        ([helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)], {"w": np.ones((2, 3), np.float32)}, ("rows", 3)),
        ([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": np.ones((3, 2), np.float32)}, ("rows", 4, 3)),
    ],
)
def test_model_that_does_not_begin_with_a_plain_product_of_rows_is_left_alone(nodes, constants, shape):
    model = small(nodes, constants, shape)

    assert with_one_scale(model, ROWS) == model
