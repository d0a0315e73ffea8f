"""The statistics by which a challenger is judged, against published values and independent ones."""

from math import comb

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from model_containers.training.steps.bias import Share, bias, difference
from model_containers.training.steps.calibration import calibration
from model_containers.training.steps.checkpoints import Checkpoints
from model_containers.training.steps.comparison import Answered, auc, brier_difference, mcnemar, verdict
from model_containers.training.steps.signatures import differences, widened, widenings
from model_containers.training.steps.slices import Slice

GAINED = {"mean": -0.1, "low": -0.2, "high": -0.05}
SURE = {"only_champion_right": 5, "only_challenger_right": 50, "p_value": 1e-6}


def scores(accuracy: float, unanswered: int = 0) -> dict[str, float]:
    return {"accuracy": accuracy, "unanswered": unanswered}


def exact_mid_p(one: int, other: int) -> float:
    """By the definition: twice the tail, less the probability of what was seen."""
    together, fewer = one + other, min(one, other)
    tail = sum(comb(together, k) for k in range(fewer + 1)) / 2**together
    return min(1.0, 2 * tail - comb(together, fewer) / 2**together)


@pytest.mark.parametrize(("one", "other"), [(0, 0), (0, 5), (1, 7), (7, 1), (10, 10), (3, 4), (40, 90)])
def test_mcnemar_is_its_definition(one: int, other: int) -> None:
    assert mcnemar(one, other) == pytest.approx(exact_mid_p(one, other), rel=1e-9)


def test_mcnemar_gives_the_published_value() -> None:
    """Airways before and after stem cell transplantation: Fagerland, Lydersen and Laake 2013, table 1."""
    assert mcnemar(1, 7) == pytest.approx(0.0391, abs=5e-5)


def test_mcnemar_of_many_rows_does_not_overflow() -> None:
    assert mcnemar(50_000, 50_100) == pytest.approx(0.752, abs=1e-3)


def test_auc_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(1)
    labels, values = draw.integers(0, 2, 300), draw.integers(0, 20, 300) / 20

    assert auc(values, labels) == pytest.approx(roc_auc_score(labels, values), abs=1e-12)
    assert auc(values[labels == 1], labels[labels == 1]) is None


def test_brier_difference_is_seeded_and_covers_the_truth() -> None:
    draw = np.random.default_rng(2)
    labels = draw.integers(0, 2, 400)
    champion = Answered(np.full(400, 0.5), labels, 0.5)
    challenger = Answered(np.where(labels == 1, 0.7, 0.3) + draw.choice([-0.1, 0.1], 400), labels, 0.5)

    found = brier_difference(champion, challenger)
    assert found == brier_difference(champion, challenger)
    assert found["mean"] == pytest.approx(0.3**2 + 0.1**2 - 0.5**2, abs=0.01)
    assert found["low"] < found["mean"] < found["high"] < 0


def test_rows_without_an_answer_are_wrong() -> None:
    answered = Answered(np.array([np.nan, 0.9, 0.2]), np.array([0, 1, 1]), 0.5)

    metrics = answered.metrics()
    assert (metrics["accuracy"], metrics["unanswered"]) == (pytest.approx(1 / 3), 1)
    assert metrics["brier"] == pytest.approx((1 + 0.01 + 0.64) / 3)


@pytest.mark.parametrize(
    ("champion", "challenger", "test", "brier", "least_gain", "better"),
    [
        (scores(0.7), scores(0.8), SURE, GAINED, 0.01, True),
        (scores(0.8), scores(0.8), SURE | {"p_value": 1.0}, GAINED, 0.0, False),
        (scores(0.8), scores(0.805), SURE, GAINED, 0.01, False),
        (scores(0.7), scores(0.8), SURE | {"p_value": 0.06}, GAINED, 0.01, False),
        (scores(0.8), scores(0.7), SURE, GAINED, 0.0, False),
        (scores(0.7), scores(0.8), SURE, {"mean": 0.1, "low": 0.05, "high": 0.2}, 0.01, False),
        (scores(0.7), scores(0.8, unanswered=1), SURE, GAINED, 0.01, False),
    ],
    ids=["better", "tie", "too little", "no evidence", "worse", "worse probabilities", "does not answer"],
)
def test_only_a_gain_with_evidence_is_better(champion, challenger, test, brier, least_gain, better) -> None:
    found, reasons = verdict(champion, challenger, test, brier, least_gain)

    assert found is better
    assert len(reasons) == 3 + (challenger["unanswered"] > 0)


def test_a_calibrated_model_passes_on_few_rows_and_an_overconfident_one_fails() -> None:
    draw = np.random.default_rng(3)
    probabilities = draw.random(200)
    labels = (draw.random(200) < probabilities).astype(int)

    sound = calibration(probabilities, labels)
    extreme = calibration(np.where(probabilities < 0.5, 0.01, 0.99), labels)
    assert sound["passed"] is True
    assert sound["error"] == pytest.approx(sound["by_chance"], abs=0.05)
    assert extreme["passed"] is False
    assert sum(each["rows"] for each in sound["bins"]) == 200


def test_difference_of_shares_gives_the_published_interval() -> None:
    """56 of 70 against 48 of 80: Newcombe 1998, table II, method 10 of example (a)."""
    found = difference(Share(56, 70), Share(48, 80))

    assert found["value"] == pytest.approx(0.2)
    assert (found["low"], found["high"]) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))
    assert difference(Share(0, 0), Share(1, 2))["value"] is None


@pytest.mark.parametrize(("champion_right", "passed"), [(0.9, False), (0.2, True)], ids=["paid for", "gained too"])
def test_a_slice_fails_where_it_is_far_behind_and_loses_to_the_champion(champion_right: float, passed: bool) -> None:
    inside = np.arange(1_000) < 300
    labels = np.ones(1_000, dtype=np.int64)
    challenger = Answered(np.where(inside & (np.arange(1_000) % 10 < 7), 0.1, 0.9), labels, 0.5)
    champion = Answered(np.where(inside & (np.arange(1_000) % 10 >= 10 * champion_right), 0.1, 0.9), labels, 0.5)

    found = bias([Slice("region", "north", inside)], challenger, champion, judged=True)
    assert found["passed"] is passed
    assert bias([Slice("region", "north", inside)], challenger, champion, judged=False)["passed"] is True


SIGNATURE = {
    "columns": [
        {"name": "a", "dtype": "float32", "minimum": 0.0, "maximum": 10.0, "allow_missing": False},
        {"name": "b", "dtype": "float32", "minimum": None, "maximum": 1.0, "allow_missing": True},
    ],
    "outputs": [{"name": "p", "tensor": "p"}],
}


def test_bounds_move_out_only_as_far_as_the_data_call_for() -> None:
    new = widened(SIGNATURE, np.array([[5.0, 0.5], [12.3, -7.0]]))

    assert widenings(SIGNATURE, new) == {"a": {"maximum": [10.0, 13.0]}}
    assert differences(SIGNATURE, new) == []
    assert differences(new, SIGNATURE) == ["the maximum of a was 13.0 and is narrower, 10.0"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda each: each["columns"].reverse(), "the columns were"),
        (lambda each: each["columns"][0].update(dtype="int64"), "dtype of a"),
        (lambda each: each["columns"][1].update(allow_missing=False), "b could be missing"),
        (lambda each: each["columns"][1].update(minimum=0.0), "the minimum of b was None"),
        (lambda each: each["outputs"][0].update(name="q"), "the outputs were"),
    ],
)
def test_what_breaks_a_caller_is_a_change_of_the_signature(change, told: str) -> None:
    new = widened(SIGNATURE, np.array([[5.0, 0.5]]))
    change(new)

    (difference,) = differences(SIGNATURE, new)
    assert told in difference


def test_checkpoints_survive_and_those_of_other_data_or_cut_off_are_not_used(tmp_path) -> None:
    Checkpoints(tmp_path, "mine").put("work", [1, 2])

    assert Checkpoints(tmp_path, "mine").get("work") == [1, 2]
    assert "work" not in Checkpoints(tmp_path, "other")
    path = tmp_path / "progress.json"
    path.write_text(path.read_text()[:-5])
    assert "work" not in Checkpoints(tmp_path, "mine")
