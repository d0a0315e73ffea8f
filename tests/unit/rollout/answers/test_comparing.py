"""Captured requests are put to a version that is being watched, a few at a time, and to no other."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.answers import paired
from lambdas.rollout.answers.captures import Exchange, Reply
from lambdas.rollout.answers.comparing import (
    FAILURES_IN_A_ROW,
    OLDEST_SECONDS,
    SENDING_SECONDS,
    Failed,
    Refused,
    Unfit,
)
from lambdas.rollout.answers.replays import told_apart
from lambdas.rollout.errors import PermanentError, RetryableError
from lambdas.rollout.judge import Limits, Series, Verdict, judge
from lambdas.rollout.judge.counts import Paired, Replays, Tally
from lambdas.rollout.judge.incomparable import LONGEST_NAME, MOST_KEPT, NONE, Incomparable, obstacle
from lambdas.rollout.policy import Answers, Judging, Policy, Step
from lambdas.rollout.state import Phase


def otherwise(exchange: Exchange) -> Reply:
    return Reply(exchange.live.content_type, b'{"rain": 9}')


def test_a_few_requests_of_a_file_go_to_the_new_version(desk: Any) -> None:
    desk.time += 0.5
    sent = Replays(desk.time // 10 * 10, Tally(0, 5))
    assert desk.take() == Paired(desk.time - 5 * desk.takes, 5, 0, (sent,))
    assert {(name, slot) for name, slot, _ in desk.asked} == {("rain-local", "green")}
    assert [exchange.body for _, _, exchange in desk.asked] == [b'{"n": %d}' % n for n in (0, 2, 4, 6, 8)]


def test_the_finding_lies_where_the_judge_looks(desk: Any, here: Any) -> None:
    desk.reply = lambda exchange: otherwise(exchange) if b"4" in exchange.body else exchange.live
    at = desk.time
    desk.take()
    ((place, item),) = desk.items.items()
    assert place[0] == paired.partition("rain-local") == "PAIRED#rain-local"
    assert place[1].startswith(paired.sort_prefix(here.ROLLOUT.id))
    assert paired.read(item) == Paired(at, 5, 1, (Replays(at, Tally(0, 5)),))
    assert item["key"] == here.KEY
    assert item["expires"] == int(at) + paired.KEPT_SECONDS


def test_a_refusal_is_another_answer_and_a_fault_is_none(desk: Any) -> None:
    replies = iter([Refused("400"), Failed("500"), Failed("500"), Refused("400"), Failed("500")])
    desk.reply = lambda _exchange: next(replies)
    found = desk.take()
    assert (found.compared, found.differed) == (2, 2)
    assert "3 got no answer" in desk.said[-1]


def test_a_version_that_answers_nothing_is_left_alone_and_nothing_is_said_of_its_answers(desk: Any) -> None:
    desk.reply = lambda _exchange: Failed("the model answered 500")
    assert desk.take() is None
    assert len(desk.asked) == FAILURES_IN_A_ROW
    assert desk.items == {}


# What metrics count of it.


def test_it_is_kept_how_many_requests_each_period_of_the_metrics_has_seen_and_how_many_failed(desk: Any) -> None:
    replies = iter([Failed("500", Tally(1, 1)), Refused("400"), Failed("blue answered"), Failed("429", Tally(0, 1))])
    desk.reply = lambda exchange: next(replies, exchange.live)
    desk.takes, at = 4.0, desk.time
    expected = (Replays(at, Tally(1, 2)), Replays(at + 10, Tally(0, 1)), Replays(at + 20, Tally(0, 1)))
    assert desk.take().replays == expected
    assert [paired.read(item).replays for item in desk.items.values()] == [expected]


def test_it_is_kept_also_when_nothing_could_be_compared(desk: Any) -> None:
    desk.reply = lambda _exchange: Failed("the model answered 500", Tally(1, 1))
    assert desk.take() is None
    ((_, item),) = desk.items.items()
    assert paired.read(item) == Paired(item["at"], 0, 0, (Replays(item["at"], Tally(3, 3)),))


def test_it_is_kept_when_another_file_was_quicker(desk: Any, here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at = desk.time
    monkeypatch.setattr(desk, "has", lambda _key: False)
    for name in ("-4f", "-5a"):
        desk.take(key=here.KEY.replace("-4f", name), at=at)
    first, second = (paired.read(item) for item in desk.items.values())
    assert (first.compared, second.compared) == (5, 0)
    assert first.replays == second.replays == (Replays(at, Tally(0, 5)),)
    assert all(sort.startswith(paired.sort_prefix(here.ROLLOUT.id)) for _, sort in desk.items)


@pytest.mark.parametrize("error", [RetryableError("slow down"), PermanentError("no permission")])
def test_it_is_kept_when_sending_ends_early(desk: Any, error: Exception) -> None:
    def once(exchange: Exchange) -> Reply:
        if len(desk.asked) > 2:
            raise error
        return exchange.live

    desk.reply = once
    assert desk.take().compared == 2
    assert [item["replays"] for item in desk.items.values()] == [{f"{desk.time // 10 * 10:.0f}": [0, 2]}]
    assert desk.said[-2] == f"warning: no more captured requests were sent, for {type(error).__name__}"


def test_an_error_before_anything_was_sent_is_told(desk: Any) -> None:
    def fail(_exchange: Exchange) -> Reply:
        raise PermanentError("no permission")

    desk.reply = fail
    with pytest.raises(PermanentError):
        desk.take()
    assert desk.items == {}


@pytest.mark.parametrize(("weight", "asked"), [(1, 5), (10, 10), (50, 90), (90, 200)])
def test_a_version_gets_no_more_of_a_file_than_its_own_share_of_the_traffic(
    desk: Any, capture_line: Any, weight: int, asked: int
) -> None:
    desk.lines = [capture_line(str(number), "1") for number in range(90)] * (1 if weight != 90 else 3)
    answers = Judging(answers=Answers(5.0, sample=200))
    steps = (Step(weight, 60), Step(100))
    desk.change(policy=Policy(steps=steps, soak_seconds=60, progress_deadline_seconds=7200, judge=answers))
    desk.take()
    assert len(desk.asked) == asked


def test_a_request_that_cannot_be_sent_is_left_out_and_no_more_is_said_than_the_errors_name(desk: Any) -> None:
    desk.reply = lambda exchange: Unfit("ParamValidationError") if exchange.body != b'{"n": 8}' else exchange.live
    found = desk.take()
    assert (found.compared, found.differed, len(desk.asked)) == (1, 0, 5)
    assert [each.tally for each in found.replays] == [Tally(0, 1)]
    assert "4 could not be read or sent, the last one for ParamValidationError" in desk.said[-1]


def test_a_slow_version_gets_no_more_requests_than_fit_into_the_time(desk: Any) -> None:
    desk.takes = SENDING_SECONDS / 3.5
    assert desk.take().compared == 4


def test_broken_lines_are_skipped_and_counted(desk: Any) -> None:
    desk.lines = ["{", desk.lines[0], '{"captureData": {}}', desk.lines[1]]
    assert desk.take().compared == 2
    assert "2 could not be read" in desk.said[-1]


# Answers that have nothing of what is compared.


def comparing_only(desk: Any, field: str) -> None:
    desk.change(policy=replace(desk.rollout.policy, judge=Judging(answers=Answers(5.0, field, sample=5))))


def test_it_is_kept_what_answers_have_that_lack_the_field(desk: Any, capture_line: Any) -> None:
    comparing_only(desk, "probabilty")
    desk.lines = [capture_line("1", f'{{"label": 1, "probability": 0.5, "ann {n}": 1}}') for n in range(5)]
    at = desk.time
    assert desk.take() is None
    ((_, item),) = desk.items.items()
    lacking = Incomparable(fieldless=5, names=("label", "probability"))
    assert paired.read(item) == Paired(at, 0, 0, (Replays(at, Tally(0, 5)),), lacking)
    assert desk.said[-1] == (
        "warning: 0 of 0 captured requests were answered differently; 5 were answered without a field "
        "'probabilty', all of them with label, probability"
    )


def test_what_cannot_be_read_is_kept_apart_from_what_lacks_the_field(desk: Any, capture_line: Any) -> None:
    comparing_only(desk, "rain")
    desk.lines = ["broken", capture_line("1", "[0.5]"), capture_line("2", "{"), capture_line("3", '{"rain": 1}')]
    found = desk.take()
    assert (found.compared, found.incomparable) == (1, Incomparable(unread=1, fieldless=1))
    assert desk.said[-1].endswith("differently; 2 could not be read; 1 were answered without a field 'rain'")


def test_of_the_names_of_fields_a_few_are_kept_and_not_all_of_long_ones(desk: Any, capture_line: Any) -> None:
    comparing_only(desk, "rain")
    answer = json.dumps({f"{n:03d}" + "x" * 500: n for n in range(100)})
    desk.lines = [capture_line("1", answer)] * 5
    desk.take()
    ((_, item),) = desk.items.items()
    names = paired.read(item).incomparable.names
    assert len(names) == MOST_KEPT
    assert max(map(len, names)) == LONGEST_NAME
    assert len(desk.said[-1]) < 1600
    assert desk.said[-1].endswith("… and more")


def stored(desk: Any) -> Incomparable:
    return sum((paired.read(item).incomparable for item in desk.items.values()), NONE)


def take_file(desk: Any, here: Any, lines: list[str], number: int = 0) -> None:
    desk.lines, desk.time = lines, desk.time + 60
    desk.take(key=here.KEY.replace("-4f", f"-{number:02d}"))


def of_csv(capture_line: Any, *answers: str) -> list[str]:
    return [capture_line("1", answer).replace("application/json", "text/csv") for answer in answers]


CUSTOMERS = '{"ann smith": 0.7, "bob jones": 0.1}'


@pytest.mark.parametrize("others", [[], ["{"] * 4, ['{"rain": 1}'] * 4], ids=["a line", "unread", "with the field"])
def test_of_too_few_answers_no_name_is_kept_or_told(desk: Any, here: Any, capture_line: Any, others: list[str]) -> None:
    """What a single answer has and every answer has are the same, and may be customers."""
    comparing_only(desk, "rain")
    for number in range(6):
        take_file(desk, here, [capture_line("1", answer) for answer in [CUSTOMERS, *others]], number)
    said = f"{desk.items} {desk.said} {obstacle(stored(desk), 'rain')}"
    assert len(desk.items) == stored(desk).fieldless == 6
    assert "smith" not in said
    assert "jones" not in said
    assert "in common" not in said


def test_files_of_too_few_answers_take_nothing_from_what_others_have(desk: Any, here: Any, capture_line: Any) -> None:
    comparing_only(desk, "rain")
    label, both = capture_line("1", '{"label": 1}'), capture_line("1", '{"label": 1, "ms": 2}')
    for number, lines in enumerate(([capture_line("1", CUSTOMERS)], [label] * 5, [label], [both] * 5, [both])):
        take_file(desk, here, lines, number)
    assert stored(desk) == Incomparable(fieldless=13, names=("label",))


@pytest.mark.parametrize(
    ("answers", "names"),
    [
        (["ann smith,NA\nbob,0.5", "eve,NA\nbob,0.5"], ()),
        (["2024-01-01,refused\n2024-01-02,0.7", "2024-01-03,refused\n2024-01-04,0.7"], ()),
        (["ms,snow\nfast,0.5", "ms, snow\nslow,0.6"], ("ms", "snow")),
    ],
)
def test_a_row_is_a_header_where_it_is_that_of_all_answers(
    desk: Any, here: Any, capture_line: Any, answers: list[str], names: tuple[str, ...]
) -> None:
    comparing_only(desk, "rain")
    take_file(desk, here, of_csv(capture_line, *answers, *answers, *answers)[:5])
    assert stored(desk) == Incomparable(fieldless=5, names=names)
    take_file(desk, here, of_csv(capture_line, answers[0]), 1)
    assert stored(desk) == Incomparable(fieldless=6, names=names)


def test_it_is_not_said_that_nothing_is_in_common_of_what_was_cut(desk: Any, here: Any, capture_line: Any) -> None:
    comparing_only(desk, "rain")
    for number, first in enumerate("ab"):
        fields = {f"{first}{n:02d}": 0 for n in range(40)} | {"z": 0}
        take_file(desk, here, [capture_line("1", json.dumps(fields))] * 5, number)
    text = str(obstacle(stored(desk), "rain"))
    assert "in common" not in text
    assert "the log of `compare`" in text


def test_a_field_that_stands_late_among_a_few_is_told(desk: Any, here: Any, capture_line: Any) -> None:
    comparing_only(desk, "rain")
    for number, first in enumerate("ab"):
        fields = {f"{first}{n}": 0 for n in range(8)} | {"z": 0}
        take_file(desk, here, [capture_line("1", json.dumps(fields))] * 5, number)
    assert "have `z`: correct the field" in str(obstacle(stored(desk), "rain"))


def test_a_refusal_is_no_other_answer_where_the_live_one_has_nothing_to_compare(desk: Any, capture_line: Any) -> None:
    comparing_only(desk, "rain")
    desk.lines = [capture_line("1", answer) for answer in ('{"label": 1}', "{", "[1]", '{"rain": 1}')]
    desk.reply = lambda _exchange: Refused("400")
    found = desk.take()
    assert (found.compared, found.differed) == (1, 1)
    assert found.incomparable == Incomparable(unread=1, fieldless=2)


def test_refusals_condemn_no_version_where_no_live_answer_has_the_field(
    desk: Any, here: Any, capture_line: Any
) -> None:
    comparing_only(desk, "probabilty")
    for number in range(6):
        desk.reply = lambda exchange: Refused("400") if exchange.body == b"0" else exchange.live
        take_file(desk, here, [capture_line(str(n), '{"label": 1}') for n in range(5)], number)
    series = told_apart(Series(10), [paired.read(item) for item in desk.items.values()])
    judgement = judge(series, Limits(tolerated_difference=0.05, compared_field="probabilty"))
    assert judgement.verdict is Verdict.HOLD
    assert judgement.obstacle.startswith("no answer that was captured has the field `probabilty`")
    assert "have `label`" in judgement.reason


@pytest.mark.parametrize("live", ["{", "[1]"])
def test_an_answer_between_failures_ends_their_row_also_with_nothing_to_compare(
    desk: Any, capture_line: Any, live: str
) -> None:
    comparing_only(desk, "rain")
    desk.lines = [capture_line(str(n), live) for n in range(5)]
    desk.reply = lambda exchange: exchange.live if exchange.body == b"1" else Failed("500")
    desk.take()
    assert len(desk.asked) == 5


def test_an_item_that_was_written_before_any_of_this_was_kept_is_read(desk: Any) -> None:
    desk.take()
    ((_, item),) = desk.items.items()
    assert "incomparable" not in item
    assert paired.read(item).incomparable == Incomparable()


def test_a_line_that_was_cut_off_is_not_sent(desk: Any) -> None:
    desk.lines, desk.whole = [desk.lines[0], desk.lines[1][:-1]], False
    desk.lines.append("cut")
    assert desk.take().compared == 1


def test_a_file_that_is_delivered_again_changes_nothing(desk: Any) -> None:
    at = desk.time
    desk.take()
    before = dict(desk.items)
    desk.reply = otherwise
    assert desk.take(at=at) is None
    assert (len(desk.asked), desk.items) == (5, before)


def test_of_files_of_one_moment_one_is_taken(desk: Any, here: Any) -> None:
    at = desk.time
    desk.take()
    assert desk.take(key=here.KEY.replace("-4f", "-5a"), at=at) is None
    assert len(desk.asked) == 5


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.SHIFT, Phase.BAKE, Phase.APPROVE, Phase.SOAK}))
def test_nothing_is_sent_in_phases_in_which_no_new_version_is_watched(desk: Any, phase: Phase) -> None:
    desk.change(phase=phase)
    assert desk.take() is None
    assert (desk.asked, desk.reads) == ([], 0)


@pytest.mark.parametrize("phase", [Phase.SHIFT, Phase.BAKE, Phase.APPROVE, Phase.SOAK])
def test_a_version_is_compared_as_long_as_it_takes_traffic(desk: Any, phase: Phase) -> None:
    desk.change(phase=phase)
    assert desk.take() is not None


def test_nothing_is_sent_before_the_first_weight_is_in_effect(desk: Any) -> None:
    desk.change(phase=Phase.SHIFT, effect_step=None, effect_since=None, verified_since=None)
    assert desk.take() is None
    desk.change(effect_since=desk.time, verified_since=desk.time)
    assert desk.take() is None, "it was a shadow until now"
    assert desk.asked == []


@pytest.mark.parametrize(
    "changes",
    [
        {"abort_reason": "alarm"},
        {"verified_since": None},
        {"stable_slot": "green", "slot": "blue"},
    ],
)
def test_nothing_is_sent_when_the_version_is_not_to_be_judged_by_this_file(desk: Any, changes: dict[str, Any]) -> None:
    desk.change(**changes)
    assert desk.take() is None
    assert desk.asked == []


def test_nothing_is_sent_where_the_policy_compares_no_answers(desk: Any) -> None:
    for judging in (None, Judging()):
        desk.change(policy=replace(desk.rollout.policy, judge=judging))
        assert desk.take() is None
    desk.rollout = None
    assert desk.take() is None
    assert desk.asked == []


def test_nothing_is_sent_to_an_endpoint_that_is_being_removed(desk: Any) -> None:
    desk.retired = True
    assert desk.take() is None
    assert desk.asked == []


def test_old_files_are_left_alone(desk: Any) -> None:
    assert desk.take(at=desk.rollout.started_at - 1) is None, "another version may have been live"
    desk.time += OLDEST_SECONDS + 1
    assert desk.take(at=desk.time - OLDEST_SECONDS - 1) is None
    assert desk.asked == []


def test_files_of_other_variants_cost_no_look_at_the_state(desk: Any, here: Any) -> None:
    assert desk.take(key=here.KEY.replace("/blue/", "/AllTraffic/")) is None
    assert desk.loads == 0


def test_sending_ends_with_the_rollout_and_leaves_nothing_behind(desk: Any) -> None:
    desk.takes = 1.1

    def abort(exchange: Exchange) -> Reply:
        desk.change(phase=Phase.ROLLBACK, abort_reason="alarm")
        return exchange.live

    desk.reply = abort
    assert desk.take() is None
    assert len(desk.asked) == 2, "a look every two seconds"
    assert desk.items == {}


def test_another_rollout_has_nothing_of_this_one(desk: Any) -> None:
    def next_one(exchange: Exchange) -> Reply:
        desk.change(id="another")
        return exchange.live

    desk.reply = next_one
    assert desk.take() is None
    assert desk.items == {}


def test_a_file_that_is_gone_is_no_fault(desk: Any) -> None:
    desk.lines = []
    assert desk.take() is None
    assert "is gone" in desk.said[-1]


def test_a_rollout_that_waits_for_days_has_few_items() -> None:
    hour, day, week = (len({paired.place(0, at) for at in range(0, span, 2)}) for span in (3600, 86_400, 604_800))
    assert paired.place(0, 2.0) == 0 < paired.place(0, 2.1)
    assert (hour, day, week) < (500, 1_200, 1_600)
    assert hour > 400
