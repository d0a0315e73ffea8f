"""The pipeline's steps, each as the process that its container runs, on the weather before and after the drift."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.retraining.verdicts import read_evaluation
from model_containers.serving.serving.guard import Guard
from model_containers.serving.serving.signature import Signature
from model_containers.training import dataset
from tests.containers.training.jobs import Retraining, weather

DRIFT = dataset.DRIFT_START


def whole(folder: Path, rows: range, since: int | None, *slices: str) -> Retraining:
    """Run all steps."""
    run = Retraining(folder, rows, since)
    run.put_data()
    assert run.prepare() == 0, run.told[-1]
    run.put_training()
    assert run.train() == 0, run.told[-1]
    assert run.evaluate() == 0, run.told[-1]
    assert run.check("--slices", ",".join(slices)) == 0, run.told[-1]
    return run


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> Retraining:
    """Two years of days before the drift, and four after it."""
    return whole(tmp_path_factory.mktemp("drifted"), range(DRIFT - 730, DRIFT + 1_460), DRIFT, "visibility")


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Retraining:
    """Four years of days in which nothing changes but the weather."""
    return whole(tmp_path_factory.mktemp("steady"), range(DRIFT - 1_460, DRIFT), None)


def test_challenger_beats_the_champion_after_the_drift(drifted: Retraining) -> None:
    evaluation = drifted.json("Evaluate/processing/output/evaluation/evaluation.json")

    assert evaluation["better"] is True
    assert evaluation["gain"] > 0.1
    assert evaluation["champion"]["accuracy"] < 0.65
    assert evaluation["mcnemar"]["p_value"] < 1e-6
    assert evaluation["brier_difference"]["high"] < 0
    assert any("evidence at 0.05" in reason for reason in evaluation["reasons"])
    assert sum(each["rows"] for each in evaluation["slices"] if each["column"] == "dew_point") == 548


def test_evaluation_names_the_very_archives_that_it_unpacked(drifted: Retraining) -> None:
    evaluation = drifted.json("Evaluate/processing/output/evaluation/evaluation.json")
    inputs = drifted.folder / "Evaluate" / "processing" / "input"
    expected = {
        who: hashlib.sha256((inputs / who / "model.tar.gz").read_bytes()).hexdigest()
        for who in ("champion", "challenger")
    }

    assert evaluation["archives"] == expected
    assert read_evaluation(json.dumps(evaluation).encode()).archive_sha256 == expected["challenger"]


def test_champion_stays_when_nothing_has_drifted(steady: Retraining) -> None:
    evaluation = steady.json("Evaluate/processing/output/evaluation/evaluation.json")

    assert evaluation["better"] is False
    assert any("no evidence" in reason for reason in evaluation["reasons"])
    assert evaluation["champion"]["accuracy"] == pytest.approx(0.8, abs=0.05)
    assert steady.json("Checks/processing/output/checks/checks.json")["passed"] is True


def test_held_out_rows_are_the_newest_and_were_not_learnt_from(drifted: Retraining) -> None:
    report = drifted.report()

    assert (report["train"]["rows"], report["heldout"]["rows"]) == (1_642, 548)
    assert report["train"]["last"] < report["heldout"]["first"]
    learnt = (drifted.folder / "Prepare/processing/output/train/train.csv").read_text().splitlines()
    held_out = (drifted.folder / "Prepare/processing/output/heldout/heldout.csv").read_text().splitlines()
    assert learnt[0] == held_out[0] == ",".join([*dataset.FEATURES, "rain", "at", "inference_id"])
    assert held_out[1].endswith(f",row-{DRIFT + 1_460 - 548}")
    assert not set(learnt[1:]) & set(held_out[1:])


def test_challenger_answers_what_the_champion_answers_and_says_so(drifted: Retraining) -> None:
    """So the endpoint's callers, guard and warm-up work as before."""
    model = drifted.folder / "Train" / "model"
    signature = json.loads((model / "signature.json").read_text())
    values, _ = weather(range(DRIFT, 18_159))
    read = Signature.from_dict(signature)
    evaluation = drifted.json("Evaluate/processing/output/evaluation/evaluation.json")

    assert Guard(read).offending(values) is None
    assert Guard(read).offending(read.sample) is None
    assert evaluation["signature_change"] is False
    assert evaluation["signature"] == {"differences": [], "widened": {}}
    session = onnxruntime.InferenceSession(model / "model.onnx", providers=["CPUExecutionProvider"])
    probability, rain = session.run(["probability", "rain"], {"measurements": values[:50].astype(np.float32)})
    np.testing.assert_array_equal(rain, probability >= 0.5)


def test_challenger_brings_the_baseline_that_it_will_be_watched_by(drifted: Retraining) -> None:
    baseline = Baseline.of_text((drifted.folder / "Train/model/baseline.json").read_bytes())
    card = drifted.json("Train/model/model_card.json")

    assert list(baseline.columns) == list(dataset.FEATURES)
    assert baseline.rows == card["trained_on"]["rows"] == 1_460 - 548
    assert card["trained_on"]["which"] == "rows since the drift"
    assert baseline.quality is not None
    assert baseline.quality.accuracy == pytest.approx(card["measured_on"]["metrics"]["accuracy"], abs=1e-4)
    assert baseline.calibration is not None
    assert baseline.output_roles.probability == "probability"


def test_checks_tell_calibration_and_slices(drifted: Retraining) -> None:
    checks = drifted.json("Checks/processing/output/checks/checks.json")

    assert checks["passed"] is True
    assert sum(each["rows"] for each in checks["calibration"]["bins"]) == 548
    assert checks["champion_calibration"]["passed"] is False
    assert checks["bias"]["judged"] is True
    assert {each["column"] for each in checks["bias"]["slices"]} == {"visibility"}


def test_slices_of_an_unknown_column_are_refused(drifted: Retraining) -> None:
    assert drifted.run("Checks", "checks", "--slices", "colour") == 1
    assert "'colour', which is no column" in drifted.message("Checks")
