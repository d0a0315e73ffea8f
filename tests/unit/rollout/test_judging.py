"""What a verdict does to a rollout: back, on, or waiting; and that silence never promotes."""

import re
from dataclasses import replace
from math import inf
from typing import Any

import pytest

from lambdas.rollout import judge
from lambdas.rollout.decision import Decision
from lambdas.rollout.errors import RetryableError
from lambdas.rollout.judge import Finding, Judgement, Limits, Paired, Series, Tally, Verdict
from lambdas.rollout.judge.counts import Replays
from lambdas.rollout.judge.incomparable import Incomparable
from lambdas.rollout.observation import EndpointView, Observation, Variant
from lambdas.rollout.policy import AbTest, Answers, Judging, Policy, Step
from lambdas.rollout.reconcile import reconcile
from lambdas.rollout.state import Candidate, Phase, Source, State

TIMES: dict[str, Any] = {"soak_seconds": 20, "progress_deadline_seconds": 1800, "peak_instances": 1}
LENIENT = Judging(tolerated_error_percent=8.0, tolerated_slow_percent=20.0, horizon_seconds=300)
STRICT = replace(LENIENT, answers=Answers(5.0))
"""Never satisfied, unless a test adds answers."""


def begin(world: Any, judge: Judging | None = LENIENT, *steps: Step, **policy: Any) -> None:
    """Start rolling 1.1.0 out."""
    plan = {} if "strategy" in policy else {"steps": (*(steps or (Step(10, 20), Step(50, 20))), Step(100))}
    world.settings.policy = Policy(**{**TIMES, "judge": judge, **plan, **policy})
    world.approve()


def reason(world: Any) -> str:
    """Return why the only rollout was taken back."""
    [summary] = world.store.summaries.values()
    return str(summary["reason"])


def weights(world: Any) -> list[float]:
    return [each["green"] for each in world.sagemaker.named("set_weights")]


def verdicts(world: Any) -> list[str]:
    return [each["numbers"]["verdict"] for each in world.store.audit if each["kind"] == "verdict"]


def test_a_good_version_is_promoted_and_the_verdict_told_with_its_numbers(world: Any) -> None:
    begin(world)
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert verdicts(world) == ["promote", "hold", "promote"]
    text = world.store.texts("verdict")[0]
    assert text.startswith("Promote at second ")
    assert "5xx 0/" in text
    entry = next(each for each in world.store.audit if each["kind"] == "verdict")
    assert {finding["metric"] for finding in entry["numbers"]["findings"]} == {"5xx", "latency"}


def test_a_version_that_fails_more_often_goes_back_though_no_alarm_says_so(world: Any) -> None:
    world.metrics.failing = {"green": 0.03}
    begin(world, replace(LENIENT, tolerated_error_percent=1.0))
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert verdicts(world)[-1] == "rollback"
    assert re.match(r"Rolled back at (second|minute) \d+: 5xx ", world.store.texts("verdict")[-1])
    assert reason(world).startswith("it is worse than the live version: 5xx ")
    assert ":1" in reason(world)


def test_a_slower_version_goes_back(world: Any) -> None:
    world.metrics.slow = {"green": 0.1, "blue": 0.01}
    begin(world, replace(LENIENT, tolerated_slow_percent=3.0))
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "latency " in reason(world)


def test_slow_answers_of_the_first_minute_are_of_a_cold_start_and_do_not_count(world: Any) -> None:
    begin(world)
    since = world.until_phase(Phase.BAKE).rollout.judged_since
    read = world.metrics.series

    def cold(*asked: Any) -> Series:
        series = read(*asked)
        slow = [
            replace(each, new=Tally(each.new.total, each.new.total)) if each.at < since + 60 else each
            for each in series.latency
        ]
        return replace(series, latency=tuple(slow))

    world.metrics.series = cold
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_errors_of_the_first_minute_count(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Series] = []
    count = judge.judge

    def counted(series: Series, *asked: Any, **more: Any) -> Judgement:
        seen.append(series)
        return count(series, *asked, **more)

    monkeypatch.setattr("lambdas.rollout.judge.judge", counted)
    begin(world, STRICT)
    since = world.until_phase(Phase.BAKE).rollout.judged_since
    world.pass_time(120)
    assert min(each.at for each in seen[-1].errors) < since + 10
    assert min(each.at for each in seen[-1].latency) >= since + 60


def test_a_version_below_all_that_is_tolerated_goes_back_when_it_is_worse(world: Any) -> None:
    world.metrics.failing = {"green": 0.03, "blue": 0.0}
    begin(world, replace(STRICT, margin=10.0, tolerated_error_percent=50.0))
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert reason(world).startswith("it is worse than the live version: 5xx ")


def test_a_version_that_answers_otherwise_goes_back(world: Any) -> None:
    world.store.paired = [Paired(float(n), 20, 8) for n in range(12)]
    begin(world, STRICT)
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "answers 96/240" in reason(world)


def replayed(world: Any, replays: Tally) -> None:
    """Let captured requests be put to the new version in every period, which its metrics count as well."""
    start = world.clock.now() // 10 * 10
    times = [start + 10.0 * n for n in range(200)]
    world.store.paired = [Paired(at, 20, 0, (Replays(at, replays),)) for at in times]


@pytest.mark.parametrize(("count", "outcome"), [(0, "PROMOTED"), (30, "ROLLED_BACK")])
def test_what_was_put_to_the_new_version_does_not_hide_that_it_fails(world: Any, count: int, outcome: str) -> None:
    world.metrics.failing = {"green": 0.05, "blue": 0.05}
    replayed(world, Tally(0, count))
    begin(world, replace(LENIENT, answers=Answers(5.0)))
    world.until_over()
    assert world.outcomes == [("1.1.0", outcome)]


@pytest.mark.parametrize(("failed", "outcome"), [(0, "ROLLED_BACK"), (9, "PROMOTED")])
def test_nor_does_it_decide_an_ab_test(world: Any, failed: int, outcome: str) -> None:
    world.metrics.failing = {"green": 0.05, "blue": 0.05}
    replayed(world, Tally(failed, failed))
    test = AbTest(50, seconds=1200, winner="evidence")
    begin(world, replace(LENIENT, answers=Answers(5.0)), strategy="ab-test", ab_test=test)
    world.until_over()
    assert world.outcomes == [("1.1.0", outcome)]


def test_without_a_judge_nothing_is_judged(world: Any) -> None:
    world.metrics.unreadable = RetryableError("nobody asks")
    begin(world, None)
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert verdicts(world) == []


def test_what_is_slow_is_fixed_before_the_new_version_takes_traffic(world: Any) -> None:
    world.metrics.baseline_ms = 33.0
    begin(world)
    state = world.until_phase(Phase.SHIFT)
    assert state.rollout.slow_ms == 33.0
    world.metrics.baseline_ms = 99.0
    assert world.until_phase(Phase.SOAK).rollout.slow_ms == 33.0


def test_nothing_takes_traffic_before_it_is_known_what_is_slow(world: Any) -> None:
    world.metrics.unreadable = RetryableError("Throttling")
    begin(world)
    world.until_phase(Phase.TEST)
    world.pass_time(120)
    assert world.store.state.rollout.phase is Phase.TEST
    assert weights(world) == []
    assert "Throttling" in world.store.texts("hold")[-1]
    world.metrics.unreadable = None
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_latency_is_left_out_and_that_is_said_when_the_live_version_answered_too_little(world: Any) -> None:
    world.metrics.baseline_ms = None
    world.metrics.slow = {"green": 0.9, "blue": 0.0}
    begin(world)
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert "latency is not judged" in world.store.texts("verdict")[-1]


def test_unreadable_numbers_hold_the_step_until_the_deadline_takes_it_back(world: Any) -> None:
    begin(world, replace(LENIENT, inconclusive="raise", horizon_seconds=60), progress_deadline_seconds=400)
    world.until_phase(Phase.BAKE)
    world.metrics.unreadable = RetryableError("Throttling")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "deadline" in reason(world)
    assert weights(world) == [10, 0]


def test_what_the_judge_cannot_count_holds_the_step_and_alarms_still_work(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Judgement:
        raise ZeroDivisionError

    begin(world)
    world.until_phase(Phase.BAKE)
    monkeypatch.setattr("lambdas.rollout.judge.judge", broken)
    world.pass_time(120)
    assert world.store.state.rollout.phase is Phase.BAKE
    assert "the judge cannot count" in world.store.texts("hold")[-1]
    world.fail("green")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


@pytest.mark.parametrize("error", [ValueError, KeyError, TypeError, ArithmeticError, AttributeError])
@pytest.mark.parametrize("port", ["metrics.series", "store.pairs", "judge", "contest"])
def test_what_nobody_foresaw_in_judging_holds_a_step_and_no_command(
    world: Any, monkeypatch: pytest.MonkeyPatch, port: str, error: type[Exception]
) -> None:
    test = {"strategy": "ab-test", "ab_test": AbTest(50, seconds=60, winner="evidence")} if port == "contest" else {}
    begin(world, STRICT, **test)
    world.until_phase(Phase.BAKE)
    _break(world, monkeypatch, port, error)
    world.pass_time(120)
    assert world.store.state.rollout.phase is Phase.BAKE
    assert f"the judge cannot count: {error.__name__}" in world.store.texts("hold")[-1]
    assert world.command("abort")["numbers"]["accepted"]
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_what_nobody_foresaw_in_reading_what_is_slow_holds_the_first_step_and_no_command(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _break(world, monkeypatch, "metrics.baseline_p99", KeyError)
    begin(world)
    world.until_phase(Phase.TEST)
    world.pass_time(60)
    assert weights(world) == []
    assert "the judge cannot count: KeyError" in world.store.texts("hold")[-1]
    world.command("abort")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def _break(world: Any, monkeypatch: pytest.MonkeyPatch, port: str, error: type[Exception]) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise error("malformed")

    if "." in port:
        owner, _, name = port.partition(".")
        monkeypatch.setattr(getattr(world, owner), name, broken)
    else:
        monkeypatch.setattr(f"lambdas.rollout.judge.{port}", broken)


def test_evidence_that_cannot_be_written_down_holds_the_step(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("5xx", Tally(0, 1), Tally(0, 1), 12, -inf, 0.0, 9.0, 1.0)
    begin(world)
    world.until_phase(Phase.BAKE)
    monkeypatch.setattr("lambdas.rollout.judge.judge", lambda *_, **__: Judgement(Verdict.PROMOTE, (finding,), "5xx"))
    world.pass_time(120)
    assert world.store.state.rollout.phase is Phase.BAKE
    assert "not finite: 5xx 0/1 vs 0/1" in world.store.texts("hold")[-1]


def test_evidence_that_it_is_not_worse_is_gathered_anew_at_each_step(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, float | None]] = []
    count = judge.judge

    def counted(series: Series, limits: Limits, step_since: float | None = None) -> Judgement:
        asked.append((world.store.state.rollout.step, step_since))
        return count(series, limits, step_since)

    monkeypatch.setattr("lambdas.rollout.judge.judge", counted)
    begin(world)
    first = world.until_phase(Phase.BAKE).rollout.verified_since
    second = world.until(lambda state: state.rollout.step == 1 and state.rollout.phase is Phase.BAKE)
    world.until_phase(Phase.SOAK)
    assert {since for step, since in asked if step == 0} == {first}
    # While the next weight is being set, the last one is in effect.
    assert {since for step, since in asked if step == 1} == {first, second.rollout.verified_since}


def test_harm_at_smaller_weights_still_counts_and_a_verdict_that_it_may_pass_does_not(world: Any) -> None:
    begin(world)
    first = world.until_phase(Phase.BAKE).rollout.judged_since
    state = world.until(lambda state: state.rollout.step == 1 and state.rollout.phase is Phase.BAKE)
    assert state.rollout.judged_since == first
    assert state.rollout.judged["verdict"] == "hold"


def test_the_last_step_asks_no_verdict(world: Any) -> None:
    begin(world)
    world.until_phase(Phase.SOAK)
    world.metrics.unreadable = RetryableError("Throttling")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_the_latest_numbers_are_kept_while_the_verdict_stays_the_same(world: Any) -> None:
    begin(world, STRICT)
    world.until_phase(Phase.BAKE)
    world.pass_time(60)
    before = world.store.state.rollout.judged
    world.pass_time(30)
    after = world.store.state.rollout.judged
    assert before["verdict"] == after["verdict"] == "hold"
    assert before["findings"][0]["new"][1] < after["findings"][0]["new"][1]
    assert verdicts(world) == []


def test_a_judged_version_is_looked_at_after_every_period(world: Any) -> None:
    begin(world, LENIENT, Step(10, 600))
    world.until_phase(Phase.BAKE)
    begun = len(world.looks)
    world.pass_time(100)
    assert len(world.looks) - begun >= 9


# No evidence in time.


def test_inconclusive_asks_a_person_who_may_let_it_go_on(world: Any) -> None:
    begin(world, STRICT)
    state = world.until_phase(Phase.APPROVE)
    assert state.rollout.phase_since - state.rollout.verified_since >= 300
    world.pass_time(600)
    assert world.store.state.rollout.phase is Phase.APPROVE
    assert len([subject for subject in world.notifier.subjects if "waits for approval" in subject]) == 1
    assert world.command("approve")["numbers"]["accepted"]
    assert world.until(lambda state: state.rollout.step == 1).rollout.abort_reason is None


def test_each_step_without_evidence_asks_anew(world: Any) -> None:
    begin(world, STRICT)
    world.until_phase(Phase.APPROVE)
    world.command("approve")
    world.until(lambda state: state.rollout.step == 1 and state.rollout.phase is Phase.APPROVE)
    world.pass_time(60)
    assert weights(world) == [10, 50]


def test_an_approval_given_before_it_was_known_that_evidence_is_wanting_does_not_count(world: Any) -> None:
    begin(world, STRICT, Step(10, 20, approval=True))
    world.until_phase(Phase.BAKE)
    assert world.command("approve")["numbers"]["accepted"]
    world.until_phase(Phase.APPROVE)
    world.pass_time(100)
    assert weights(world) == [10]
    world.command("approve", "c2")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_an_approval_that_a_step_asks_for_is_no_substitute_for_evidence(world: Any) -> None:
    begin(world, replace(STRICT, inconclusive="extend"), Step(10, 20, approval=True))
    world.until_phase(Phase.BAKE)
    world.command("approve")
    world.pass_time(600)
    assert weights(world) == [10]


def test_an_approval_for_want_of_evidence_stands_when_the_numbers_can_no_longer_be_read(world: Any) -> None:
    begin(world, STRICT, Step(10, 20))
    world.until_phase(Phase.APPROVE)
    world.metrics.unreadable = RetryableError("Throttling")
    world.pass_time(60)
    assert world.store.state.rollout.phase is Phase.APPROVE
    world.command("approve")
    world.until_phase(Phase.SOAK)


def test_evidence_that_comes_late_ends_the_asking(world: Any) -> None:
    begin(world, STRICT, Step(10, 20))
    world.until_phase(Phase.APPROVE)
    world.store.paired = [Paired(float(n), 100, 0) for n in range(20)]
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_a_step_with_an_approval_of_its_own_still_wants_it_when_evidence_comes_late(world: Any) -> None:
    begin(world, STRICT, Step(10, 20, approval=True))
    world.until_phase(Phase.APPROVE)
    world.store.paired = [Paired(float(n), 100, 0) for n in range(20)]
    world.pass_time(120)
    assert weights(world) == [10]
    world.command("approve")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_a_step_that_is_open_for_want_of_evidence_still_goes_back_by_verdict(world: Any) -> None:
    begin(world, STRICT)
    world.until_phase(Phase.APPROVE)
    world.store.paired = [Paired(float(n), 100, 60) for n in range(20)]
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_raise_goes_on_to_more_traffic_and_never_to_all_of_it(world: Any) -> None:
    world.store.paired = [Paired(0.0, 10, 0)]
    begin(world, replace(STRICT, inconclusive="raise"))
    world.until_phase(Phase.APPROVE)
    assert weights(world) == [10, 50]
    assert any("Inconclusive after" in text for text in world.store.texts("verdict"))


@pytest.mark.parametrize("paired", [[], [Paired(0.0, 10, 2)]], ids=["nothing counted", "evidence of harm"])
def test_raise_asks_where_it_is_not_only_for_want_of_requests(world: Any, paired: list[Paired]) -> None:
    world.store.paired = paired
    begin(world, replace(STRICT, inconclusive="raise"))
    world.until_phase(Phase.APPROVE)
    assert weights(world) == [10]
    world.command("approve")
    world.until(lambda state: state.rollout.step == 1)


MISTYPED = replace(STRICT, answers=Answers(5.0, "probabilty"))


def test_a_field_that_answers_do_not_have_is_told_once_where_people_look(world: Any) -> None:
    begin(world, replace(MISTYPED, inconclusive="extend"))
    world.until_phase(Phase.BAKE)
    world.pass_time(60)
    assert world.store.state.rollout.remark == "more evidence that it is not worse"
    for n in range(9):
        world.store.paired.append(Paired(float(n), 0, 0, (), Incomparable(fieldless=5, names=("label", "probability"))))
        world.pass_time(20)
    rollout = world.store.state.rollout
    cause = "no answer that was captured has the field `probabilty` (judge.answers.field), so nothing can be compared"
    told = [text for text in world.store.texts("hold") if cause in text]
    assert len(told) == 1
    assert told[0].startswith(f"Not going on at 10 % without more evidence: answers: {cause}; ")
    assert "they have `label`, `probability`: correct the field in environments/" in told[0]
    assert rollout.remark == cause
    assert cause in rollout.judged["findings"][-1]["text"]
    assert told[0] in [line for line, _ in world.log.lines if "probabilty" in line]
    world.store.paired.append(Paired(9.0, 20, 0))
    world.pass_time(60)
    assert world.store.state.rollout.remark == "more evidence that it is not worse"


def test_a_deadline_that_passes_meanwhile_names_it(world: Any) -> None:
    world.store.paired = [Paired(0.0, 0, 0, (), Incomparable(fieldless=5, names=("label",)))]
    begin(world, replace(MISTYPED, inconclusive="extend"), progress_deadline_seconds=600)
    world.until_phase(Phase.ROLLBACK)
    assert "held up because no answer that was captured has the field `probabilty`" in reason(world)


def test_whoever_is_asked_instead_is_told(world: Any) -> None:
    world.store.paired = [Paired(0.0, 0, 0, (), Incomparable(fieldless=5, names=("label",)))]
    begin(world, replace(MISTYPED, inconclusive="raise"))
    world.until_phase(Phase.APPROVE)
    assert "has the field `probabilty`" in world.store.texts("approval")[-1]


def test_extend_waits_until_the_deadline(world: Any) -> None:
    begin(world, replace(STRICT, inconclusive="extend", horizon_seconds=60), progress_deadline_seconds=600)
    begun = world.until_phase(Phase.BAKE).rollout.verified_since
    world.until_phase(Phase.ROLLBACK)
    assert 500 < world.clock.now() - begun < 700
    assert "more evidence that it is not worse" in reason(world)


# People.


def test_an_operator_who_promotes_vouches_for_what_the_judge_does_not_know(world: Any) -> None:
    begin(world, STRICT, Step(10, 20))
    world.until_phase(Phase.BAKE)
    world.command("promote")
    world.until_phase(Phase.SOAK)


def test_a_verdict_takes_back_what_is_paused(world: Any) -> None:
    begin(world, STRICT)
    world.until_phase(Phase.BAKE)
    world.command("pause")
    world.store.paired = [Paired(float(n), 100, 60) for n in range(20)]
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_the_way_back_is_not_judged_by_what_it_goes_back_from(world: Any) -> None:
    begin(world, None)
    world.until_over()
    world.settings.policy = replace(world.settings.policy, judge=STRICT)
    world.metrics.unreadable = RetryableError("nobody asks")
    past = world.store.state.past[-1]
    way_back = Candidate(None, past.version, 0.0, None, Source(past.config, past.slot, past.image), "back", True)
    world.command("rollback", to=past.version, candidate=way_back)
    world.until_over()
    assert world.store.state.live.version == past.version


def test_what_has_no_step_beside_the_live_version_is_not_judged(world: Any) -> None:
    world.metrics.unreadable = RetryableError("nobody asks")
    begin(world, LENIENT, strategy="blue-green")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


# A/B tests.


def test_an_ab_test_by_evidence_ends_as_soon_as_one_is_better(world: Any) -> None:
    world.metrics.failing = {"blue": 0.03}
    begin(world, LENIENT, strategy="ab-test", ab_test=AbTest(50, seconds=1200, winner="evidence"))
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    [won] = [text for text in world.store.texts("verdict") if "won the A/B test" in text]
    assert "the new version is better: 5xx " in won
    ended = world.store.summaries.popitem()[1]
    assert ended["outcome"] == "PROMOTED"
    assert world.clock.now() - 1_800_000_000 < 900


def test_an_ab_test_that_shows_no_difference_keeps_the_live_version(world: Any) -> None:
    begin(world, LENIENT, strategy="ab-test", ab_test=AbTest(50, seconds=120, winner="evidence"))
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "A/B test" in reason(world)


def test_an_ab_test_by_evidence_that_cannot_be_read_has_no_winner(world: Any) -> None:
    test = AbTest(50, seconds=60, winner="evidence")
    begin(world, LENIENT, strategy="ab-test", ab_test=test, progress_deadline_seconds=500)
    world.until_phase(Phase.BAKE)
    world.metrics.unreadable = RetryableError("Throttling")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "deadline" in reason(world)


# One decision at a time.


def look(world: Any, verdict: Verdict, phase: Phase, **changes: Any) -> tuple[State, Decision]:
    """Show the engine a verdict in a phase of a judged rollout."""
    begin(world, STRICT)
    state = world.until_phase(Phase.BAKE)
    state = replace(state, rollout=replace(state.rollout, **{"phase": phase, **changes}))
    end = world.endpoint
    seen = EndpointView("InService", end.config, dict(end.variants))
    observation = Observation(seen, world.alarms.health("rain-local", "green"), judgement=_judgement(verdict))
    return state, reconcile(state, observation, world.clock.now())


def _judgement(verdict: Verdict) -> Judgement:
    finding = Finding("5xx", Tally(31, 1204), Tally(204, 22870), 12, 6.02, 6.02, -1.0, 1.0)
    return Judgement(verdict, (finding,), finding.against)


@pytest.mark.parametrize("phase", [Phase.SHIFT, Phase.BAKE, Phase.APPROVE, Phase.SOAK])
def test_a_verdict_of_rollback_is_an_abort_in_every_watched_phase(world: Any, phase: Phase) -> None:
    waiting = world.clock.now() if phase is Phase.APPROVE else None
    _, decision = look(world, Verdict.ROLLBACK, phase, waiting_since=waiting)
    after = decision.state.rollout
    assert after is not None
    assert (after.phase, after.judged and after.judged["verdict"]) == (Phase.ROLLBACK, "rollback")
    assert "5xx 31/1,204 vs 204/22,870, evidence that it is worse 412:1" in str(after.abort_reason)
    assert [entry.kind for entry in decision.entries] == ["verdict", "abort"]


@pytest.mark.parametrize("phase", [Phase.ROLLBACK, Phase.FINALIZE, Phase.TEST])
def test_a_verdict_undoes_nothing_where_it_is_not_asked_for(world: Any, phase: Phase) -> None:
    abort_reason = "an alarm" if phase is Phase.ROLLBACK else None
    for verdict in Verdict:
        _, decision = look(world, verdict, phase, abort_reason=abort_reason)
        after = decision.state.rollout
        assert after is not None
        assert after.abort_reason == abort_reason


def test_a_rollback_counts_while_the_endpoint_is_busy(world: Any) -> None:
    state, _ = look(world, Verdict.HOLD, Phase.BAKE)
    seen = EndpointView("Updating", world.endpoint.config, {"green": Variant(10, 10, 1, 1)})
    health = world.alarms.health("rain-local", "green")
    observation = Observation(seen, health, judgement=_judgement(Verdict.ROLLBACK))
    decision = reconcile(state, observation, world.clock.now())
    assert decision.state.rollout is not None
    assert decision.state.rollout.phase is Phase.ROLLBACK
