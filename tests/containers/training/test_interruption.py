"""A training that is killed and started again goes on from its checkpoint."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from tests.containers.training.jobs import Retraining

ROWS = range(11_000, 12_700)
SINCE = 12_000
RESULTS = 8
"""Four candidates, two blocks each."""


@pytest.fixture
def run(tmp_path: Path) -> Retraining:
    run = Retraining(tmp_path, ROWS, SINCE)
    run.put_data()
    assert run.prepare() == 0
    run.put_training()
    return run


def results(run: Retraining) -> int:
    path = run.folder / "Train" / "checkpoints" / "progress.json"
    return len(json.loads(path.read_text())["results"]) if path.exists() else 0


def model(run: Retraining) -> bytes:
    return (run.folder / "Train" / "model" / "model.onnx").read_bytes()


def test_killed_training_resumes_and_comes_to_the_same_model(run: Retraining) -> None:
    process = subprocess.Popen(run.command("challenger"), cwd=Path.cwd(), env=run.environment("Train"))
    deadline = time.monotonic() + 60
    while results(run) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -9
    kept = results(run)
    assert 3 <= kept < RESULTS
    assert not (run.folder / "Train" / "model" / "model.onnx").exists()

    assert run.train() == 0
    assert f"resumed: {kept} results are in the checkpoint" in run.told[-1]
    resumed = model(run)
    (run.folder / "Train" / "checkpoints" / "progress.json").unlink()
    assert run.train() == 0
    assert "resumed" not in run.told[-1]
    assert model(run) == resumed


def test_failure_of_a_training_is_told_where_sagemaker_looks(run: Retraining) -> None:
    (run.folder / "Train/input/data/champion/model.tar.gz").write_bytes(b"not an archive")

    assert run.train() == 1
    assert "model.tar.gz cannot be read" in run.message("Train", "failure")
