"""Labels that are reversed are doubted, and a true drift is not."""

import numpy as np
import pytest

from lambdas.monitoring.profile.baseline import Baseline
from model_containers.training import dataset
from model_containers.training.steps.archives import read
from model_containers.training.steps.comparison import Answered
from model_containers.training.steps.doubts import area_error, doubts, usual_positive
from model_containers.training.steps.sessions import probabilities
from tests.containers.training.jobs import CHAMPION, weather

DRIFT = dataset.DRIFT_START
BASELINE = Baseline.of_text((CHAMPION / "baseline.json").read_bytes())


def answered(rows: range, *, reverse: bool = False) -> Answered:
    """Return the champion's answers to days, and whether it rained on them, or the reverse."""
    values, rain = weather(rows)
    labels = rain.astype(np.int64)
    return Answered(probabilities(read(CHAMPION), "probability", values), 1 - labels if reverse else labels, 0.5)


def doubted(found: list[str]) -> list[str]:
    return [word for each in found for word in ("wrong way round", "odds") if word in each]


@pytest.mark.parametrize(
    ("rows", "reverse", "expected"),
    [
        (range(DRIFT - 500, DRIFT), False, []),
        (range(DRIFT, DRIFT + 500), False, []),
        (range(DRIFT + 1_000, DRIFT + 2_000), False, []),
        (range(DRIFT - 500, DRIFT), True, ["wrong way round", "odds"]),
        (range(DRIFT, DRIFT + 500), True, ["odds"]),
    ],
    ids=["calm", "drift", "later drift", "reversed", "reversed in drift"],
)
def test_reversed_labels_are_doubted_and_drift_is_not(rows: range, reverse: bool, expected: list[str]) -> None:
    found = doubts(answered(rows, reverse=reverse), usual_positive(BASELINE))
    assert doubted(found) == expected


def test_the_balance_is_only_doubted_where_the_usual_one_is_known() -> None:
    mostly = Answered(np.full(400, 0.3), (np.arange(400) % 10 < 8).astype(np.int64), 0.5)
    assert doubted(doubts(mostly, 0.3)) == ["odds"]
    assert doubts(mostly, 0.6) == []
    assert doubts(mostly, None) == []


def test_few_rows_are_no_ground_for_doubt() -> None:
    few = Answered(np.linspace(0.9, 0.1, 8), np.array([0, 1, 0, 0, 1, 0, 1, 1]), 0.5)
    assert doubts(few, 0.3) == []


def test_one_kind_of_label_has_no_ranking() -> None:
    assert doubted(doubts(Answered(np.linspace(0, 1, 300), np.zeros(300, dtype=np.int64), 0.5), 0.01)) == []


def test_the_usual_share_is_that_of_the_training_labels() -> None:
    assert usual_positive(BASELINE) == pytest.approx(0.3, abs=0.02)


def test_error_of_an_area_is_the_published_one() -> None:
    """Hanley and McNeil 1982: an area of 0.893 of 51 abnormal and 58 normal images has the error 0.032."""
    assert area_error(0.893, 51, 58) == pytest.approx(0.032, abs=1e-3)
