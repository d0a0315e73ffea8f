"""Who decides in a rehearsal, and by what."""

from __future__ import annotations

import pytest

from lambdas.rollout.judge import Limits, Tally
from tests.unit.tidegate.rehearsal.recordings import START
from tidegate.rehearsal.plans import Alarm, Look, PlannedStep, Rule, Ruling
from tidegate.rehearsal.recording import Answered, Period
from tidegate.rehearsal.rules import ArgoLike, Guardrails, KayentaLike, Ours

ALARM = Alarm(percent=5.0, min_requests=10, bad=2, of=3)
GOOD, LIVE = Answered(300, 1, 3), Answered(5700, 28, 57)


def look(*new: Answered, live: Answered = LIVE, since: int = 0, step: PlannedStep | None = None) -> Look:
    """Return what is seen at the end of these periods."""
    history = [Period(START + 60 * index, live, each) for index, each in enumerate(new)]
    return Look(history, step or PlannedStep(5.0, 600), since, 60)


def ruling(rule: Rule, *new: Answered, live: Answered = LIVE) -> Ruling:
    return rule.look(look(*new, live=live))[0]


def test_an_alarm_rings_at_enough_bad_periods_among_the_latest() -> None:
    bad, good, few = Tally(6, 100), Tally(5, 100), Tally(9, 9)
    assert ALARM.rings([bad, good, bad])
    assert not ALARM.rings([bad, good, good, bad])
    assert not ALARM.rings([few, few, few])


def test_without_a_judge_the_alarm_decides() -> None:
    bad = Answered(300, 30)
    rule = Ours(ALARM, None, has_slow=True)
    assert ruling(rule, GOOD, bad) is Ruling.GO_ON
    assert ruling(rule, GOOD, bad, bad) is Ruling.ROLL_BACK


def test_the_judge_rolls_back_what_no_alarm_sees() -> None:
    worse = Answered(300, 5, 3)
    rule = Ours(ALARM, Limits(), has_slow=True)
    found, reason = rule.look(look(*[worse] * 30))
    assert found is Ruling.ROLL_BACK
    assert "5xx 150/9,000 vs 840/171,000" in reason
    assert ruling(Ours(ALARM, None, has_slow=True), *[worse] * 30) is Ruling.GO_ON


def test_slow_requests_are_judged_where_they_were_recorded() -> None:
    slow = Answered(300, 1, 15)
    assert ruling(Ours(ALARM, Limits(), has_slow=True), *[slow] * 30) is Ruling.ROLL_BACK
    assert ruling(Ours(ALARM, Limits(), has_slow=False), *[slow] * 30) is not Ruling.ROLL_BACK


def test_the_judge_waits_for_evidence_and_lets_a_good_version_go_on() -> None:
    rule = Ours(ALARM, Limits(tolerated_difference=0.01), has_slow=True)
    assert ruling(rule, GOOD) is Ruling.WAIT
    assert ruling(rule, *[GOOD] * 60) is Ruling.GO_ON


def test_a_step_has_a_limit_of_its_own() -> None:
    step = PlannedStep(5.0, 600, error_percent=1.0)
    rule = Ours(ALARM, None, has_slow=True)
    at_limit, above = Answered(300, 3), Answered(300, 4)
    assert rule.look(look(above, at_limit, since=1, step=step))[0] is Ruling.GO_ON
    assert rule.look(look(at_limit, above, since=1, step=step)) == (
        Ruling.ROLL_BACK,
        "5xx 4/300, above the step's 1 %",
    )


def test_guardrails_see_both_fleets_as_one() -> None:
    bad = Answered(600, 180)
    assert ruling(Guardrails(ALARM), *[bad] * 9, live=Answered(5400)) is Ruling.GO_ON
    assert ruling(Guardrails(ALARM), *[bad] * 9, live=Answered(600)) is Ruling.ROLL_BACK


def test_argo_counts_intervals_that_failed() -> None:
    bad, nothing = Answered(300, 16), Answered()
    assert ruling(ArgoLike(), bad, GOOD, bad, nothing, bad) is Ruling.GO_ON
    assert ruling(ArgoLike(), bad, GOOD, bad, nothing, bad, bad) is Ruling.ROLL_BACK


@pytest.mark.parametrize("worse", [Answered(300, 9, 3), Answered(300, 1, 30)])
def test_kayenta_compares_ranks_every_few_periods(worse: Answered) -> None:
    assert ruling(KayentaLike(), *[worse] * 4) is Ruling.GO_ON
    assert ruling(KayentaLike(), *[worse] * 5) is Ruling.ROLL_BACK
    assert ruling(KayentaLike(), *[GOOD] * 5) is Ruling.GO_ON


def test_kayenta_passes_a_short_outage_and_sparse_errors() -> None:
    outage = [GOOD] * 40 + [Answered(300, 150, 3)] * 6 + [GOOD] * 4
    assert ruling(KayentaLike(), *outage) is Ruling.GO_ON
    assert ruling(Ours(Alarm(100.0), Limits(), has_slow=True), *outage) is Ruling.ROLL_BACK
