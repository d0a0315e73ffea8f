"""Models that cannot be served: the process ends, and one line says what is wrong, with what, and the way out."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from model_containers.serving.serving.signature import Signature

ANOTHER_DIGEST = f"sha256:{'0' * 64}"
TOO_WARM = 200.0  # beyond the table of the version that fails on warm days


def edit_signature(folder: Path, **changes: object) -> None:
    path = folder / "signature.json"
    fields = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in fields.items() if value is not None}))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


MISTAKES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "no folder": (shutil.rmtree, ["the model folder {folder} cannot be read: No such file", "set SM_MODEL_DIR"]),
    "an empty folder": (
        lambda folder: [each.unlink() for each in folder.iterdir()],
        ["{folder} has neither model.onnx nor a *.tar.gz; it has nothing", "set SM_MODEL_DIR"],
    ),
    "no signature": (
        lambda folder: (folder / "signature.json").unlink(),
        ["{folder} has model.onnx but no signature.json", "write one beside it"],
    ),
    "a torn signature": (
        lambda folder: cut(folder / "signature.json"),
        [
            "{folder}/signature.json is not a model signature: it is not JSON: ",
            "line 7 column 6",
            "copy or write it again",
        ],
    ),
    "a signature without columns": (
        lambda folder: edit_signature(folder, columns=None),
        ["{folder}/signature.json is not a model signature: 'columns' is missing", "outputs"],
    ),
    "a signature of another tensor": (
        lambda folder: edit_signature(folder, tensor="x"),
        ["model.onnx takes 'measurements', signature.json says 'x'", "write 'measurements'"],
    ),
    "a model cut short": (
        lambda folder: cut(folder / "model.onnx"),
        ["{folder}/model.onnx (100 bytes) is not a model that ONNX Runtime", "INVALID_PROTOBUF", "copy it again"],
    ),
    "an empty model": (
        lambda folder: (folder / "model.onnx").write_bytes(b""),
        ["{folder}/model.onnx (0 bytes) is not a model that ONNX Runtime", "copy it again"],
    ),
    "a model that is no file": (
        lambda folder: ((folder / "model.onnx").unlink(), (folder / "model.onnx").mkdir()),
        ["{folder}/model.onnx is not a model that ONNX Runtime", "copy it again"],
    ),
}


def check_failed(server, folder: Path, said: list[str]) -> None:
    assert server.exit_status() == 1
    (error,) = [line for line in server.lines() if line["level"] == "ERROR"]
    assert error["message"] == "the model cannot be served"
    assert [each for each in said if each.format(folder=folder) not in str(error["error"])] == [], error["error"]
    assert set(error) == {"time", "level", "message", "error"}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_wrong_with_a_model_is_said_in_one_line_without_a_traceback(start, unpacked, mistake):
    make, said = MISTAKES[mistake]
    folder = unpacked("1.0.0")
    make(folder)

    check_failed(start(folder, TIDEGATE_DEVICE="cpu"), folder, said)


@pytest.mark.parametrize("damage", [lambda folder: None, lambda folder: cut(folder / "model.onnx")])
def test_files_that_were_not_approved_are_called_that_whatever_else_is_wrong(start, unpacked, damage):
    folder = unpacked("1.0.0")
    damage(folder)
    server = start(folder, TIDEGATE_DEVICE="cpu", TIDEGATE_MODEL_DIGEST=ANOTHER_DIGEST)

    check_failed(server, folder, [f"TIDEGATE_MODEL_DIGEST is {ANOTHER_DIGEST}", "deploy the files that were approved"])


def test_a_model_that_fails_on_its_own_sample_is_not_served(start, unpacked):
    folder = unpacked("1.2.0")
    sample = Signature.load(folder / "signature.json").sample[:1] * 0 + TOO_WARM
    sample[0, 2] = 1_000.0  # a pressure
    edit_signature(folder, sample=sample.tolist())

    check_failed(start(folder, TIDEGATE_DEVICE="cpu"), folder, ["fails on its own sample", "Gather", "signature.json"])


def test_a_gpu_that_is_not_there_is_said_in_one_line(start, unpacked):
    folder = unpacked("1.0.0")

    check_failed(start(folder, TIDEGATE_DEVICE="gpu"), folder, ["TIDEGATE_DEVICE=gpu", "set TIDEGATE_DEVICE=auto"])
