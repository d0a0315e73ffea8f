"""What the versions of the rain model are worth, measured on the artefacts themselves."""

import io
import json
import tarfile
import time

import numpy as np
import onnxruntime
import pytest

from lambdas.monitoring.profile.baseline import Baseline
from model_containers.serving.serving.guard import Guard
from model_containers.serving.serving.signature import Signature
from model_containers.training import __main__ as command_line
from model_containers.training import analogue, artefact, dataset, graph, recent, swapped, trees
from model_containers.training.build import BOOTSTRAP_FOLDER, BOOTSTRAPS, build, packed
from model_containers.training.evaluation import measure
from model_containers.training.versions import VERSIONS as TRAINED
from tests.containers.bodies.models import refusal

VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0", "2.0.0")
MAXIMUM = dataset.FEATURES.index("maximum_temperature")


def cold_days():
    """The extract that the bad version was built from."""
    return analogue.extract(dataset.load().measured().between(range(8_000)))


def contents(archive):
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def built(artefacts):
    return {version: contents((artefacts / version / "model.tar.gz").read_bytes()) for version in VERSIONS}


@pytest.fixture(scope="module")
def held_out():
    return dataset.load().between(dataset.HELD_OUT)


def answers(model, days):
    return session(model).run(None, {graph.INPUT: days.measurements.astype(np.float32)})


def one_by_one(model, days):
    """Return how long each day's answer took, in seconds, and which days got an error instead, with the errors."""
    ready, seconds, failed = session(model), [], []
    for day in days.measurements.astype(np.float32):
        began = time.perf_counter()
        try:
            ready.run(None, {graph.INPUT: day[None]})
        except Exception as error:
            failed.append((day, str(error)))
        else:
            seconds.append(time.perf_counter() - began)
    return seconds, failed


def test_command_line_knows_every_version():
    """It names them itself, because the training code takes seconds to import."""
    assert tuple(TRAINED) == command_line.VERSIONS == VERSIONS


@pytest.mark.parametrize("version", BOOTSTRAPS)
def test_bootstrap_is_what_training_makes(version, held_out):
    folder = BOOTSTRAP_FOLDER / BOOTSTRAPS[version]
    committed = contents((folder / "model.tar.gz").read_bytes())
    remade = contents(packed(version)["model.tar.gz"])

    old, _ = answers(committed["model.onnx"], held_out)
    new, _ = answers(remade["model.onnx"], held_out)
    np.testing.assert_allclose(old, new, atol=1e-4)
    assert committed["signature.json"] == remade["signature.json"]
    assert committed["baseline.json"] == (folder / "baseline.json").read_bytes()
    assert committed["model_card.json"] == (folder / "model_card.json").read_bytes()
    old_baseline, new_baseline = (Baseline.of_text(each["baseline.json"]) for each in (committed, remade))
    assert old_baseline.columns == new_baseline.columns
    assert old_baseline.quality.accuracy == pytest.approx(new_baseline.quality.accuracy, abs=1e-3)
    old_card, new_card = (json.loads(each["model_card.json"]) for each in (committed, remade))
    assert old_card["measured_on"]["metrics"] == pytest.approx(new_card["measured_on"]["metrics"], abs=1e-3)
    assert old_card["trained_on"] == new_card["trained_on"]


@pytest.mark.parametrize("version", VERSIONS)
def test_baseline_counts_the_training_rows_and_the_quality_on_others(artefacts, built, version):
    baseline = Baseline.of_text((artefacts / version / "baseline.json").read_bytes())
    card = json.loads(built[version]["model_card.json"])

    assert built[version]["baseline.json"] == (artefacts / version / "baseline.json").read_bytes()
    assert baseline.model_version == version
    assert list(baseline.columns) == list(dataset.FEATURES)
    assert baseline.rows == card["trained_on"]["days"]
    assert baseline.quality.rows == card["measured_on"]["days"]
    assert baseline.quality.accuracy == pytest.approx(card["measured_on"]["metrics"]["accuracy"], abs=1e-4)
    assert (baseline.output_roles.probability, baseline.output_roles.prediction) == ("probability", "rain")


def test_recent_version_is_good_until_the_drift_and_worse_than_a_guess_after_it(built):
    days = dataset.load()
    before, after = days.between(range(recent.ROWS.stop, dataset.DRIFT_START)), days.between(range(12_000, 13_460))
    good, bad = (
        measure(answers(built["2.0.0"]["model.onnx"], each)[0].astype(float), each.rain) for each in (before, after)
    )

    assert good["accuracy"] == pytest.approx(0.795, abs=0.005)
    assert bad["accuracy"] < 0.62 < 1 - after.rain.mean()


def test_drifted_days_are_not_refused(built):
    """They look odd, and are answered wrongly; the server does not stand in the drift monitor's way."""
    guard = Guard(Signature.from_dict(json.loads(built["2.0.0"]["signature.json"])))
    drifted = dataset.load().between(range(dataset.DRIFT_START, len(dataset.load())))

    assert len(drifted) == 6_159
    assert guard.offending(drifted.measurements) is None


def test_training_is_deterministic(built):
    days = dataset.load().measured()
    candidate = json.loads(built["1.1.0"]["model_card.json"])["algorithm"]
    cold = cold_days()
    maxima = cold.measurements[:, MAXIMUM]

    boosted = trees.train(days.between(trees.ROWS), "1.1.0", candidate)
    wrong = swapped.train(days.between(trees.ROWS), "1.3.0")
    similar = analogue.train(cold.between(analogue.ROWS), "1.2.0", maxima.min(), maxima.max())

    assert boosted.SerializeToString(deterministic=True) == built["1.1.0"]["model.onnx"]
    assert wrong.SerializeToString(deterministic=True) == built["1.3.0"]["model.onnx"]
    assert similar.SerializeToString(deterministic=True) == built["1.2.0"]["model.onnx"]


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "1.3.0"])
def test_card_says_what_the_model_does_on_held_out_rows(built, held_out, version):
    card = json.loads(built[version]["model_card.json"])
    probability, rain = answers(built[version]["model.onnx"], held_out)

    assert card["measured_on"]["first_row"] == 8_000
    assert measure(probability.astype(float), held_out.rain) == pytest.approx(card["measured_on"]["metrics"], abs=1e-3)
    np.testing.assert_array_equal(rain, probability >= 0.5)


def test_second_version_is_truly_better_than_the_bootstrap(built):
    old, new = (json.loads(built[each]["model_card.json"])["measured_on"]["metrics"] for each in ("1.0.0", "1.1.0"))

    assert new["accuracy"] > old["accuracy"] + 0.015
    assert new["auc"] > old["auc"] + 0.02
    assert new["brier"] < old["brier"] - 0.01


def test_bad_version_looks_good_on_the_days_it_was_validated_on(built):
    good, bad = (json.loads(built[each]["model_card.json"])["measured_on"] for each in ("1.1.0", "1.2.0"))

    assert bad["metrics"]["auc"] > good["metrics"]["auc"]
    assert "November to February" in bad["which"]


def test_bad_version_fails_on_a_slice_of_the_replayed_days_and_is_slow(built, held_out):
    sample = held_out.where(held_out.rows % 41 == 0)

    quick, never = one_by_one(built["1.1.0"]["model.onnx"], sample)
    slow, failed = one_by_one(built["1.2.0"]["model.onnx"], sample)

    assert not never
    assert 0.15 < len(failed) / len(sample) < 0.35
    assert all("out of data bounds" in error for _, error in failed)
    assert min(day[MAXIMUM] for day, _ in failed) > cold_days().measurements[:, MAXIMUM].max()
    assert np.median(slow) > 50 * np.median(quick)
    assert np.median(slow) > 0.01


def test_wrong_version_answers_the_opposite_of_the_good_one_and_nothing_else_tells(built, held_out):
    right, _ = answers(built["1.1.0"]["model.onnx"], held_out)
    wrong, rain = answers(built["1.3.0"]["model.onnx"], held_out)
    sample = held_out.where(held_out.rows % 41 == 0)

    quick, _ = one_by_one(built["1.1.0"]["model.onnx"], sample)
    as_quick, failed = one_by_one(built["1.3.0"]["model.onnx"], sample)

    np.testing.assert_allclose(wrong, 1 - right, atol=1e-6)
    assert (rain == held_out.rain).mean() < 0.25
    assert not failed
    assert np.median(as_quick) < 5 * np.median(quick)


def test_wrong_version_says_so_in_its_card_and_is_of_the_same_trees(built):
    good, wrong = (json.loads(built[each]["model_card.json"]) for each in ("1.1.0", "1.3.0"))

    assert wrong["known_fault"].startswith("Do not use: it answers with the probability of a dry day")
    assert wrong["measured_on"]["metrics"]["accuracy"] < 0.25
    assert wrong["algorithm"] == good["algorithm"] == swapped.CANDIDATE
    assert "known_fault" not in good


def test_every_version_takes_the_same_requests(built):
    signatures = {built[version]["signature.json"] for version in VERSIONS}

    assert len(signatures) == 1
    assert json.loads(signatures.pop())["columns"][0]["name"] == "temperature"


def test_signature_admits_all_weather_and_refuses_what_was_not_measured(built):
    guard = Guard(Signature.from_dict(json.loads(built["1.0.0"]["signature.json"])))
    days = dataset.load()

    assert guard.offending(days.measured().measurements) is None
    assert "sea_level_pressure" in refusal(guard, days.measurements).detail


def test_build_skips_what_is_current_and_mends_what_is_not(tmp_path):
    assert build(tmp_path, ["1.0.0"]) == ["1.0.0"]
    first = (tmp_path / "1.0.0" / artefact.ARCHIVE).read_bytes()
    assert build(tmp_path, ["1.0.0"]) == []

    (tmp_path / "1.0.0" / artefact.BASELINE).unlink()
    assert build(tmp_path, ["1.0.0"]) == ["1.0.0"]
    assert (tmp_path / "1.0.0" / artefact.ARCHIVE).read_bytes() == first
