"""What a plan will see is known before it starts."""

from __future__ import annotations

from dataclasses import replace

from lambdas.rollout.policy import Policy, Step
from lambdas.rollout.policy.judging import Judging
from tests.unit.tidegate.rehearsal.recordings import recording
from tidegate.rehearsal.foresight import Expected, Foresight, enough_after, expected_of, foresee
from tidegate.rehearsal.recording import Answered

POLICY = Policy(
    soak_seconds=600,
    progress_deadline_seconds=14400,
    steps=(Step(5, 600), Step(25, 600), Step(100)),
    judge=Judging(tolerated_error_percent=0.5, horizon_seconds=1800),
)


def seen(per_second: float, errors: float = 0.01, slow: float | None = None, policy: Policy = POLICY) -> Foresight:
    return foresee(policy, Expected(per_second, errors, slow), 60, 2.0)


def test_evidence_adds_up_over_the_steps() -> None:
    assert enough_after([(600, 300)]) == 300
    assert enough_after([(600, 1200), (600, 400)]) == 800
    assert enough_after([(600, 1200), (600, 1300)]) is None
    assert enough_after([(600, float("inf")), (600, 600)]) == 1200


def test_enough_traffic_needs_no_warning() -> None:
    sight = seen(100)
    assert not sight.warnings
    assert not sight.blind
    # lambda_c = 100 x 5 % x 1 %, and (ln 20 + ln 6) / (lambda_c (2 ln 2 - 1)) = 248 s; longer, for 5 % is not 0.
    assert 248 < sight.steps[0].sights[0].seconds(2.0) <= 360
    assert sight.seen_after(0, 10.0) == sight.steps[0].sights[0].seconds(10.0)


def test_little_traffic_is_warned_of_and_then_refused() -> None:
    few = seen(1)
    assert "5xx: a version 2 times as bad (2 %) is not seen before it takes all the traffic" in few.warnings
    assert "5xx: step 1 (5 %) may end before it is sure that a good version is no worse" in few.warnings
    assert not few.blind
    assert seen(0.01).blind


def test_each_step_gathers_anew_what_speaks_for_a_version() -> None:
    twice = replace(POLICY, steps=(Step(5, 600), Step(6, 600), Step(100)))
    trusted = seen(100, policy=twice).steps[0].sights[0].trust_seconds
    assert POLICY.judge is not None
    short = replace(twice, judge=replace(POLICY.judge, horizon_seconds=int(trusted * 0.8)))
    held_up = [each.partition(" may end")[0] for each in seen(100, policy=short).warnings if "no worse" in each]
    assert held_up == ["5xx: step 1 (5 %)", "5xx: step 2 (6 %)"]


def test_what_is_tolerated_is_not_meant_to_be_seen() -> None:
    (warning,) = [each for each in seen(10, 0.001).warnings if "2 times" in each]
    assert "(0.2 %) is within the tolerated 0.5 %" in warning
    # Ten times 0.01 % is tolerated too; what counts is a version that fails twice as often as is tolerated.
    assert not seen(10, 0.0001).blind


def test_another_metric_may_see_what_errors_do_not() -> None:
    assert not seen(2, 0.00001, slow=0.01).blind
    assert [each.metric for each in seen(2, slow=0.01).steps[0].sights] == ["5xx", "latency"]


def test_a_plan_of_one_step_compares_nothing() -> None:
    sight = seen(100, policy=replace(POLICY, steps=(Step(100),)))
    assert sight.warnings == ["there is no step before all the traffic: nothing is compared"]
    assert not sight.blind


def test_traffic_of_a_recording() -> None:
    found = expected_of(recording(120, live=Answered(6000, 6, 60)))
    assert (found.per_second, found.errors, found.slow, found.quietest) == (100, 0.001, 0.01, 100)
    assert expected_of(recording(60, live=Answered(100))).errors == 1 / 6000
