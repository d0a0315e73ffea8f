import json

import numpy as np
import pytest

from lambdas.monitoring.assessment import Assessment, Kind, Severity, assess
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.category_tally import CategoryTally
from lambdas.monitoring.profile.errors import ProfileError
from tests.unit.monitoring.assessment.windows import baseline, normal, summary, window


@pytest.fixture(scope="module")
def three() -> Baseline:
    return baseline(normal(20_000, 3, seed=1))


def _kinds(found: Assessment) -> list[tuple[str, str, str]]:
    return [(str(one.kind), str(one.severity), one.subject) for one in found.findings]


def test_the_same_traffic_is_nothing(three: Baseline) -> None:
    found = assess(three, window(three, normal(2_000, 3, seed=2)))
    assert (found.severity, found.drifted, found.findings) == (Severity.NONE, (), ())
    assert found.features["f1"].psi < 0.01
    assert found.features["f1"].psi_null_mean == pytest.approx(9 * (1 / 2_000 + 1 / 20_000))


def test_a_column_that_moved_is_named_with_numbers_and_a_way_out(three: Baseline) -> None:
    found = assess(three, window(three, normal(2_000, 3, seed=3, shift=1.0)))
    assert (found.severity, found.drifted, found.severe) == (Severity.SEVERE, ("f0",), ("f0",))
    (finding,) = found.findings
    assert (finding.kind, finding.subject) == (Kind.DATA_DRIFT, "f0")
    assert "`f0` has moved: PSI 0.9" in finding.text or "`f0` has moved: PSI 1" in finding.text
    assert "standard deviations up" in finding.text
    assert "First seen in this window (2026-03-01 14:00 UTC)." in finding.text
    assert "upstream" in finding.next_step


def test_a_small_shift_is_moderate(three: Baseline) -> None:
    found = assess(three, window(three, normal(5_000, 3, seed=4, shift=0.22)))
    assert (found.severity, found.drifted, found.severe) == (Severity.MODERATE, ("f0",), ())


def test_a_difference_that_is_certain_but_does_not_matter_is_none(three: Baseline) -> None:
    found = assess(three, window(three, normal(60_000, 3, seed=5, shift=0.08)))
    assert found.features["f0"].p_value < 1e-6
    assert found.severity is Severity.NONE


def test_since_when_is_known_from_earlier_windows(three: Baseline) -> None:
    drifted = {"severity": Severity.SEVERE, "drifted": ("f0",)}
    history = [
        summary(8, three, **drifted),
        summary(9, three),
        summary(10, three, **drifted),
        summary(11, three, severity=Severity.SUSPECT),
        summary(12, three, **drifted),
        summary(13, three, **drifted),
    ]
    found = assess(three, window(three, normal(2_000, 3, seed=3, shift=1.0)), history=history)
    assert "Since 2026-03-01 10:00 UTC (4 windows in a row)." in found.findings[0].text
    assert found.findings[0].numbers["since"] == "2026-03-01T10:00:00Z"


def test_another_baseline_ends_a_run_and_the_end_of_memory_is_said(three: Baseline) -> None:
    drifted = {"severity": Severity.SEVERE, "drifted": ("f0",)}
    counts = window(three, normal(2_000, 3, seed=3, shift=1.0))
    of_another = [summary(12, None, **{**drifted, "baseline_id": "x" * 16}), summary(13, three, **drifted)]
    texts = [one.text for one in assess(three, counts, history=of_another).findings]
    assert any("Since 2026-03-01 13:00 UTC (2 windows in a row)." in text for text in texts)
    (finding,) = assess(three, counts, history=[summary(13, three, **drifted)]).findings
    assert "Since at least 2026-03-01 13:00 UTC (2 windows in a row)." in finding.text


def test_categories_are_compared_by_their_shares() -> None:
    draw, levels = np.random.default_rng(6), ("sun", "rain", "fog")
    of = baseline({"sky": draw.choice(levels, 10_000, p=[0.6, 0.35, 0.05]).tolist()}, levels={"sky": levels})
    same = assess(of, window(of, {"sky": draw.choice(levels, 1_000, p=[0.6, 0.35, 0.05]).tolist()}))
    moved = assess(of, window(of, {"sky": draw.choice(levels, 1_000, p=[0.4, 0.3, 0.3]).tolist()}))
    assert same.severity is Severity.NONE
    assert moved.severe == ("sky",)
    assert "`fog` is 29 %, in training 4.8 %; `sun` is 42 %, in training 60 %." in moved.findings[0].text


def test_levels_never_seen_are_named() -> None:
    levels = ("sun", "rain")
    of = baseline({"sky": ["sun"] * 600 + ["rain"] * 400}, levels={"sky": levels})
    counts = window(of, {"sky": ["sun"] * 570 + ["rain"] * 380 + ["SUN"] * 50})
    assert isinstance(counts.columns["sky"], CategoryTally)
    kinds = {one.kind: one for one in assess(of, counts).findings}
    finding = kinds[Kind.UNSEEN_CATEGORIES]
    assert finding.severity is Severity.MODERATE
    assert "50 of 1,000 rows (5.0 %): `SUN` (50)" in finding.text
    assert Kind.DATA_DRIFT in kinds


def test_a_constant_that_changes_is_drift() -> None:
    of = baseline({"unit": np.full(5_000, 1.0)})
    found = assess(of, window(of, {"unit": np.full(500, 1000.0)}))
    assert found.severe == ("unit",)
    assert "always about 1 in training" in found.findings[0].text


def test_answers_and_confidence_have_their_own_kinds() -> None:
    draw = np.random.default_rng(7)
    columns = normal(10_000, 1, seed=8)
    of = baseline(columns, outputs={"probability": draw.beta(1, 3, 10_000)})
    counts = window(of, normal(2_000, 1, seed=9), {"probability": draw.beta(3, 1, 2_000)})
    found = assess(of, counts)
    assert _kinds(found) == [("prediction_drift", "severe", "probability")]
    assert (found.drifted, found.severe) == ((), ())
    assert set(found.outputs) == {"probability"}


def test_drift_that_no_column_shows_is_found_among_those_that_held_still() -> None:
    def columns(rows: int, sign: int, seed: int) -> dict[str, np.ndarray]:
        values = normal(rows, 6, seed)
        values["f2"] = sign * 0.7 * values["f1"] + 0.51**0.5 * values["f2"]
        return values

    of = baseline(columns(20_000, 1, 10))
    (finding,) = assess(of, window(of, columns(2_000, -1, 11))).findings
    assert (finding.kind, finding.severity) == (Kind.JOINT_DRIFT, Severity.MODERATE)
    assert "`f1 × f2`" in finding.text
    assert assess(of, window(of, columns(2_000, 1, 12))).findings == ()


def test_an_assessment_survives_being_written(three: Baseline) -> None:
    found = assess(three, window(three, normal(2_000, 3, seed=3, shift=1.0)))
    again = Assessment.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    assert again == found
    assert again.summary() == type(found.summary()).from_json(json.loads(json.dumps(found.summary().to_json())))


def test_counts_of_another_baseline_are_refused(three: Baseline) -> None:
    counts = window(three, normal(2_000, 3, seed=2))
    counts.baseline_id = "0" * 16
    with pytest.raises(ProfileError, match="count the window anew"):
        assess(three, counts)
