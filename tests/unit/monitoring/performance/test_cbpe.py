import numpy as np
import pytest

from lambdas.monitoring.performance import estimate


def _sums(p: np.ndarray, positive: np.ndarray) -> tuple[int, int, float, float]:
    return len(p), int(positive.sum()), float(p[positive].sum()), float(p[~positive].sum())


def test_it_is_the_expected_confusion_matrix() -> None:
    p = np.array([0.9, 0.8, 0.6, 0.3, 0.1])
    found = estimate(*_sums(p, p >= 0.5))
    assert found is not None
    assert found.accuracy.value == pytest.approx((0.9 + 0.8 + 0.6 + 0.7 + 0.9) / 5)
    assert found.precision is not None
    assert found.precision.value == pytest.approx(2.3 / 3)
    assert found.recall is not None
    assert found.recall.value == pytest.approx(2.3 / 2.7)
    assert found.f1 is not None
    assert found.f1.value == pytest.approx(4.6 / (2.3 + 3 + 0.4))


def test_intervals_hold_the_truth_at_least_as_often_as_they_say() -> None:
    draw, inside = np.random.default_rng(6), dict.fromkeys(("accuracy", "precision", "recall", "f1"), 0)
    for _ in range(600):
        p = draw.beta(0.8, 1.5, 1_000)
        positive, truth = p >= 0.5, draw.random(1_000) < p
        found = estimate(*_sums(p, positive))
        tp = int((positive & truth).sum())
        real = {
            "accuracy": float((positive == truth).mean()),
            "precision": tp / positive.sum(),
            "recall": tp / truth.sum(),
            "f1": 2 * tp / (positive.sum() + truth.sum()),
        }
        for name, value in real.items():
            low, high = getattr(found, name).interval()
            inside[name] += low <= value <= high
    assert all(0.94 < count / 600 <= 1 for count in inside.values()), inside


def test_a_model_that_never_says_yes_has_no_precision() -> None:
    found = estimate(10, 0, 0.0, 2.0)
    assert found is not None
    assert found.accuracy.value == pytest.approx(0.8)
    assert found.precision is None
    assert found.recall is not None
    assert found.recall.value == 0


def test_without_rows_there_is_nothing_to_estimate() -> None:
    assert estimate(0, 0, 0.0, 0.0) is None
