import numpy as np
import pytest

from lambdas.monitoring.assessment import Assessment, Finding, Kind, Severity, assess
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.performance import PerformanceSums
from lambdas.monitoring.profile.quality import Quality
from lambdas.monitoring.profile.window import WindowCounts
from tests.unit.monitoring.assessment.windows import baseline, normal, window

ROWS = 2_000


@pytest.fixture(scope="module")
def of() -> Baseline:
    return baseline(normal(20_000, 1, seed=1), quality=Quality(0.88, 0.09, 5_000))


def _sums(sure: float, right: float, rows: int = ROWS, seed: int = 2) -> PerformanceSums:
    """Return rows whose probabilities say `sure` on average, and whose answers are right in a share `right`."""
    draw, sums = np.random.default_rng(seed), PerformanceSums()
    for predicted, correct in zip(draw.random(rows) < 0.4, draw.random(rows) < right, strict=True):
        probability = sure if predicted else 1 - sure
        sums.add(bool(predicted), probability, probability, bool(predicted == correct))
    return sums


def _window(of: Baseline, sums: PerformanceSums) -> WindowCounts:
    counts = window(of, normal(ROWS, 1, seed=3))
    counts.performance = sums
    return counts


def _only(found: Assessment) -> Finding:
    (finding,) = found.findings
    return finding


def test_as_good_as_ever_is_nothing(of: Baseline) -> None:
    found = assess(of, _window(of, _sums(sure=0.88, right=0.88)))
    assert (found.severity, found.findings) == (Severity.NONE, ())
    assert found.estimated_accuracy == pytest.approx(0.88)
    assert found.accuracy == pytest.approx(0.88, abs=0.02)
    assert found.performance["labelled"] == ROWS


def test_a_drop_is_estimated_before_labels_come(of: Baseline) -> None:
    sums = _sums(sure=0.84, right=0.84)
    unlabelled = PerformanceSums(
        **{**vars(sums), "labelled": 0, "tp": 0, "fp": 0, "tn": 0, "fn": 0, "scored": 0, "brier_sum": 0.0}
    )
    found = assess(of, _window(of, unlabelled))
    finding = _only(found)
    assert (finding.kind, finding.severity, found.severity) == (Kind.ESTIMATED_ACCURACY, Severity.MODERATE, "moderate")
    assert "estimated at 84 % (82 % to 86 %)" in finding.text
    assert "it was 88 % on 5,000 rows when the model was made, 4.0 percentage points more" in finding.text
    assert found.accuracy is None


def test_a_drop_that_only_labels_show_is_concept_drift(of: Baseline) -> None:
    finding = _only(assess(of, _window(of, _sums(sure=0.88, right=0.7))))
    assert (finding.kind, finding.severity) == (Kind.ACCURACY, Severity.SEVERE)
    assert "(concept drift)" in finding.text


def test_a_drop_that_inputs_explain_is_not(of: Baseline) -> None:
    found = assess(of, _window(of, _sums(sure=0.75, right=0.75)))
    assert {one.kind for one in found.findings} == {Kind.ACCURACY, Kind.ESTIMATED_ACCURACY}
    assert not any("concept drift" in one.text for one in found.findings)


def test_a_drop_that_chance_explains_is_nothing(of: Baseline) -> None:
    found = assess(of, _window(of, _sums(sure=0.88, right=0.82, rows=40)))
    assert not any(one.kind is Kind.ACCURACY for one in found.findings)


def test_a_slice_that_is_worse_than_it_promises_is_named(of: Baseline) -> None:
    counts = _window(of, _sums(sure=0.88, right=0.88))
    for name, right in (("sky=sun", 0.88), ("sky=fog", 0.6)):
        counts.slice(name).rows = 400
        counts.slice(name).performance = _sums(sure=0.88, right=right, rows=400, seed=5)
    finding = _only(assess(of, counts))
    assert (finding.kind, finding.subject, finding.severity) == (Kind.SLICE_ACCURACY, "sky=fog", Severity.SEVERE)
    assert "promise 88 % there" in finding.text


def test_labels_for_rows_that_nobody_knows_are_counted(of: Baseline) -> None:
    for unknown, severity in ((20, Severity.INFO), (900, Severity.MODERATE)):
        sums = _sums(sure=0.88, right=0.88)
        sums.unknown_ids = unknown
        finding = _only(assess(of, _window(of, sums)))
        assert (finding.kind, finding.severity) == (Kind.UNKNOWN_LABELS, severity)
        assert f"{unknown} labels are for inference ids that no captured row has" in finding.text


def test_labels_that_cannot_be_read_do_not_make_captures_suspect(of: Baseline) -> None:
    counts = _window(of, _sums(sure=0.88, right=0.88))
    counts.malformed.add("label_not_json", "labels/a.jsonl", 2, "Expecting value", 400)
    found = assess(of, counts)
    assert (found.severity, _only(found).subject) == (Severity.MODERATE, "labels")
