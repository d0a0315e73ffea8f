"""Verdicts, and the words and numbers in which they are given."""

import json
from collections.abc import Callable
from dataclasses import replace
from math import log

import pytest

from lambdas.rollout.judge import Finding, Judgement, Labelled, Limits, Paired, Series, Stratum, Tally, Verdict, judge
from lambdas.rollout.judge.finding import odds
from lambdas.rollout.judge.incomparable import Incomparable

Periods = Callable[..., tuple[Stratum, ...]]

GOOD = (3, 300, 57, 5_700)
BAD = (9, 300, 57, 5_700)
QUIET = (0, 300, 0, 5_700)
DEAD = (300, 300, 57, 5_700)
ALL_TRAFFIC = (1, 6_000, 0, 0)

LIMITS = Limits()
ANSWERS = Limits(tolerated_difference=0.02)


def of_errors(strata: tuple[Stratum, ...], limits: Limits = LIMITS) -> Judgement:
    return judge(Series(60, errors=strata), limits)


def with_answers(periods: Periods, *groups: tuple[int, int]) -> Judgement:
    answers = tuple(Paired(60.0 * i, compared, differed) for i, (differed, compared) in enumerate(groups))
    return judge(Series(60, errors=periods(*[QUIET] * 10), answers=answers), ANSWERS)


def with_labels(periods: Periods, *groups: tuple[int, int]) -> Judgement:
    labels = tuple(Labelled(60.0 * i, new, live) for i, (new, live) in enumerate(groups))
    return judge(Series(60, errors=periods(*[QUIET] * 10), labels=labels), LIMITS)


def test_a_worse_version_is_rolled_back_with_its_numbers(periods: Periods) -> None:
    judgement = of_errors(periods(*[BAD] * 6))
    assert judgement.verdict is Verdict.ROLLBACK
    assert judgement.reason.startswith("5xx 54/1,800 vs 342/34,200, evidence that it is worse ")


def test_a_good_version_is_promoted(periods: Periods) -> None:
    judgement = of_errors(periods(*[GOOD] * 30))
    assert judgement.verdict is Verdict.PROMOTE
    assert "5xx 90/9,000 vs 1,710/171,000, evidence that it is not worse " in judgement.reason


def test_at_first_there_is_no_verdict(periods: Periods) -> None:
    judgement = of_errors(periods(GOOD))
    assert judgement.verdict is Verdict.HOLD
    assert judgement.reason.endswith("20:1 that it is not worse is needed")


def test_a_version_inferior_by_the_margin_is_not_promoted(periods: Periods) -> None:
    judgement = of_errors(periods(*[(45, 3_000, 30, 3_000)] * 4))
    assert judgement.verdict is not Verdict.PROMOTE


def test_few_periods_do_not_roll_back_for_their_noise_is_unknown(periods: Periods) -> None:
    limits = replace(LIMITS, least_looks=6)
    assert of_errors(periods(*[BAD] * 5), limits).verdict is Verdict.HOLD
    assert "which is to be seen in 6 looks; this is 5" in of_errors(periods(*[BAD] * 5), limits).reason
    assert of_errors(periods(*[BAD] * 6), limits).verdict is Verdict.ROLLBACK


def test_periods_shorter_than_a_minute_are_not_more_looks(periods: Periods) -> None:
    tens = tuple(replace(stratum, at=stratum.at / 6) for stratum in periods(*[(2, 50, 9, 950)] * 36))
    assert of_errors(tens[:30]).findings[0].looks == 5
    assert of_errors(tens[:30]).findings[0].harm > log(20)
    assert of_errors(tens[:30]).verdict is Verdict.HOLD
    assert of_errors(tens).verdict is Verdict.ROLLBACK


def test_a_version_that_answers_nothing_but_errors_is_rolled_back_at_the_first_look(periods: Periods) -> None:
    assert of_errors(periods(DEAD)).verdict is Verdict.ROLLBACK


def test_one_burst_of_a_noisy_service_is_no_verdict(periods: Periods) -> None:
    noisy = [(0, 300, 57, 5_700), (12, 300, 20, 5_700), (1, 300, 150, 5_700), (7, 300, 10, 5_700)] * 3
    calm = of_errors(periods(*noisy))
    assert calm.findings[0].untempered > log(20)
    assert calm.verdict is Verdict.HOLD


def test_an_outage_of_six_minutes_after_quiet_ones_is_rolled_back(periods: Periods) -> None:
    assert of_errors(periods(*[GOOD] * 9, (150, 300, 57, 5_700))).verdict is Verdict.ROLLBACK
    assert of_errors(periods(*[GOOD] * 20, *[(150, 300, 57, 5_700)] * 6)).verdict is Verdict.ROLLBACK


def test_few_errors_where_there_were_none_are_rolled_back(periods: Periods) -> None:
    assert of_errors(periods(*[(1, 300, 0, 5_700), QUIET] * 5)).verdict is Verdict.ROLLBACK


def test_no_errors_at_all_promote_for_they_are_below_what_is_tolerated(periods: Periods) -> None:
    assert of_errors(periods(*[QUIET] * 4)).verdict is Verdict.PROMOTE
    assert of_errors(periods(*[QUIET] * 4), replace(LIMITS, tolerated_error=1e-5)).verdict is Verdict.HOLD


def test_with_all_the_traffic_only_what_is_tolerated_counts(periods: Periods) -> None:
    assert of_errors(periods(*[ALL_TRAFFIC] * 2)).verdict is Verdict.PROMOTE
    assert of_errors(periods((60, 6_000, 0, 0))).verdict is Verdict.HOLD


def test_own_errors_that_come_in_bursts_vouch_for_less(periods: Periods) -> None:
    even = of_errors(periods(*[(2, 500, 0, 0)] * 12)).findings[0]
    bursts = of_errors(periods(*[(12, 500, 0, 0), *[(0, 500, 0, 0)] * 5] * 2)).findings[0]
    assert even.new == bursts.new
    assert bursts.assurance < even.assurance / 2


def test_nothing_counted_never_promotes(periods: Periods) -> None:
    for strata in ((), periods((0, 0, 57, 5_700))):
        judgement = of_errors(strata)
        assert judgement.verdict is Verdict.HOLD
        assert judgement.reason == "5xx: nothing has been counted yet"


def test_latency_without_a_threshold_is_left_out_and_said(periods: Periods) -> None:
    judgement = judge(Series(60, periods(*[QUIET] * 4), latency=periods(*[DEAD] * 10)), LIMITS)
    assert judgement.verdict is Verdict.PROMOTE
    assert judgement.reason.endswith("latency is not judged, for there is no threshold")


def test_latency_with_a_threshold_is_judged(periods: Periods) -> None:
    slow = Series(60, periods(*[QUIET] * 6), periods(*[BAD] * 6), threshold_ms=120)
    assert judge(slow, LIMITS).verdict is Verdict.ROLLBACK
    assert judge(slow, LIMITS).reason.startswith("latency 54/1,800")


def test_latency_that_is_not_counted_holds(periods: Periods) -> None:
    judgement = judge(Series(60, periods(*[QUIET] * 6), threshold_ms=120), LIMITS)
    assert (judgement.verdict, judgement.reason) == (Verdict.HOLD, "latency: nothing has been counted yet")


def test_wrong_answers_without_any_error_are_rolled_back(periods: Periods) -> None:
    judgement = with_answers(periods, *[(20, 50)] * 6)
    assert judgement.verdict is Verdict.ROLLBACK
    assert judgement.reason.startswith("answers 120/300, evidence that it is worse ")


def test_one_clump_of_wrong_answers_is_no_verdict(periods: Periods) -> None:
    finding = with_answers(periods, (20, 50), *[(0, 50)] * 5).findings[1]
    assert finding.untempered > log(20) > finding.harm == pytest.approx(finding.untempered / finding.dispersion)


def test_equal_answers_promote(periods: Periods) -> None:
    assert with_answers(periods, *[(0, 50)] * 12).verdict is Verdict.PROMOTE


def test_an_unlucky_answer_is_no_verdict(periods: Periods) -> None:
    assert with_answers(periods, (3, 50), *[(0, 50)] * 5).verdict is Verdict.HOLD


def test_answers_that_are_asked_for_and_missing_hold(periods: Periods) -> None:
    assert with_answers(periods).reason == "answers: nothing has been counted yet"


LABELLED = Incomparable(fieldless=5, names=("label",))


def without_the_field(strata: tuple[Stratum, ...], *answers: Paired, found: Incomparable) -> Judgement:
    series = Series(60, errors=strata, answers=answers, incomparable=found)
    return judge(series, replace(ANSWERS, compared_field="probabilty"))


def test_answers_that_lack_the_field_hold_and_the_reason_says_so(periods: Periods) -> None:
    judgement = without_the_field(periods(*[QUIET] * 10), found=Incomparable(fieldless=5, names=("probability",)))
    assert judgement.verdict is Verdict.HOLD
    assert judgement.reason.startswith("answers: no answer that was captured has the field `probabilty`")
    assert "`probability`" in judgement.reason
    finding = judgement.findings[1]
    assert str(finding) == finding.numbers["text"] == judgement.reason.replace("answers:", "answers 0/0:")
    assert str(finding.obstacle).startswith("no answer that was captured")


def test_what_only_somebody_can_put_right_is_told_before_what_time_will(periods: Periods) -> None:
    assert without_the_field((), found=LABELLED).reason.startswith("answers: no answer that was captured")
    worse = without_the_field(periods(*[BAD] * 6), found=LABELLED)
    assert (worse.verdict, worse.reason[:3]) == (Verdict.ROLLBACK, "5xx")


def test_answers_are_judged_by_those_that_have_the_field(periods: Periods) -> None:
    finding = without_the_field(periods(*[QUIET] * 10), Paired(0.0, 50, 1), found=LABELLED).findings[1]
    assert (finding.counts, finding.obstacle) == ("answers 1/50", None)


def test_labels_condemn(periods: Periods) -> None:
    judgement = with_labels(periods, *[(2, 8)] * 6)
    assert judgement.verdict is Verdict.ROLLBACK
    assert judgement.reason.startswith("labels 48/60")


def test_labels_vouch_below_the_margin(periods: Periods) -> None:
    # As many right as wrong: less than the margin of 1.5 times as many wrong.
    equal = with_labels(periods, *[(20, 20)] * 10).findings[1]
    assert equal.harm < 0 < equal.assurance


def test_no_step_waits_for_labels(periods: Periods) -> None:
    assert with_labels(periods, (1, 0)).verdict is Verdict.PROMOTE


def test_the_worst_metric_gives_the_reason(periods: Periods) -> None:
    both = Series(60, periods(*[BAD] * 6), periods(*[DEAD] * 6), threshold_ms=120)
    assert judge(both, LIMITS).reason.startswith("latency ")


def test_rollback_goes_before_promotion(periods: Periods) -> None:
    # Three times as bad as the live version, and still below what is tolerated.
    judgement = of_errors(periods(*[(18, 6_000, 6, 6_000)] * 10))
    assert judgement.findings[0].assurance > log(20)
    assert judgement.verdict is Verdict.ROLLBACK


def test_a_look_made_twice_says_the_same(periods: Periods) -> None:
    strata = periods(*[GOOD] * 12)
    assert of_errors(strata) == of_errors(strata)


def test_numbers_are_plain(periods: Periods) -> None:
    judgement = with_answers(periods, *[(0, 50)] * 3)
    numbers = json.loads(json.dumps(judgement.numbers, allow_nan=False))
    assert numbers["verdict"] == judgement.verdict == "hold"
    assert numbers["reason"] == judgement.reason
    assert [finding["metric"] for finding in numbers["findings"]] == ["5xx", "answers"]
    assert numbers["findings"][0]["new"] == [0, 3_000]
    assert numbers["findings"][1]["live"] is None


@pytest.mark.parametrize(
    ("harm", "assurance", "words"),
    [
        (log(412), log(0.1), "5xx 31/1,204 vs 204/22,870, evidence that it is worse 412:1"),
        (log(0.1), log(35), "5xx 31/1,204 vs 204/22,870, evidence that it is not worse 35:1"),
        (log(2.5), log(0.1), "5xx 31/1,204 vs 204/22,870, evidence that it is worse 2.5:1"),
        (-1.0, -0.1, "5xx 31/1,204 vs 204/22,870, no evidence yet"),
    ],
)
def test_a_finding_in_words(harm: float, assurance: float, words: str) -> None:
    assert str(Finding("5xx", Tally(31, 1_204), Tally(204, 22_870), 4, harm, harm, assurance, 1.0)) == words


def test_odds_stop_somewhere() -> None:
    assert odds(log(1_234)) == "1,234:1"
    assert odds(5_000) == "more than 1,000,000,000:1"


@pytest.mark.parametrize(
    "wrong",
    [{"margin": 1.0}, {"tolerated_error": 0.0}, {"tolerated_slow": 1.0}, {"tolerated_difference": 0.0}],
)
def test_limits_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**wrong)  # type: ignore[arg-type]


def test_more_errors_than_requests_in_a_period_are_no_exception(periods: Periods) -> None:
    assert of_errors(periods((5, 3, 1, 60))).verdict is Verdict.HOLD
