"""The criteria about the judge fail when what they are there for happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.tidegate.demo.conftest import abort_text, finding, strike, verdict_entry
from tidegate.demo import judge_checks

FORGIVEN = "2 failures that are not its fault do not stop 1.1.0"
WRONG = "1.3.0 ends ROLLED_BACK"
FOUND = "1.3.0 is found out at its first step, within 60 s"
SWITCHING = "no request is failed by the switching itself"


def detail_of(run: Any, name: str) -> str:
    return next(str(check["detail"]) for check in run.report()["checks"] if check["name"] == name)


def entry_of(run: Any, rollout: str, kind: str) -> int:
    """Return where in the trail a rollout's entry of a kind is."""
    return next(i for i, entry in enumerate(run.seen.audit) if (entry.rollout, entry.kind) == (rollout, kind))


def change_verdict(run: Any, rollout: str, **changes: Any) -> None:
    """Change the only finding of a rollout's verdict."""
    place = entry_of(run, rollout, "verdict")
    entry = run.seen.audit[place]
    numbers = {**entry.numbers, "findings": [{**entry.numbers["findings"][0], **changes}]}
    run.seen.audit[place] = replace(entry, numbers=numbers)


def change_requests(run: Any, choose: Callable[[Any], bool], **changes: Any) -> int:
    """Change all requests that are chosen; return how many."""
    chosen = [place for place, request in enumerate(run.seen.requests) if choose(request)]
    for place in chosen:
        run.seen.requests[place] = replace(run.seen.requests[place], **changes)
    return len(chosen)


def of_the_wrong_version(run: Any) -> Callable[[Any], bool]:
    return lambda request: request.variant == "blue" and request.due > run.seen.started + 160


def test_the_criteria_tell_the_judges_numbers(run: Any) -> None:
    assert "5xx 2/152 vs 0/684, evidence that it is not worse 31:1" in detail_of(run, FORGIVEN)
    assert "answers 97/100, evidence that it is worse 412:1" in detail_of(run, WRONG)
    assert "20.0 s of traffic, never more than 10 %" in detail_of(run, FOUND)
    assert "2 made on purpose" in detail_of(run, SWITCHING)


def test_a_stroke_that_hit_nobody_is_caught(run: Any) -> None:
    change_requests(run, lambda request: request.on_purpose, failure="", detail="", status=200, model_status=None)
    assert run.failed_checks() == [FORGIVEN]
    assert "0 requests met" in detail_of(run, FORGIVEN)


def test_strokes_that_were_never_ordered_are_failures_of_the_switching(run: Any) -> None:
    run.seen.misfortunes.pop()
    assert run.failed_checks() == [FORGIVEN, SWITCHING]


def test_a_stroke_at_a_later_step_is_caught(run: Any) -> None:
    change_requests(run, lambda request: request.on_purpose, failure="", detail="", status=200, model_status=None)
    run.seen.misfortunes.clear()
    strike(run.seen, 30.0)
    strike(run.seen, 50.0)
    assert run.failed_checks() == [FORGIVEN]
    assert "1 of them not at its first step" in detail_of(run, FORGIVEN)


def test_a_judge_that_did_not_count_the_failures_is_caught(run: Any) -> None:
    change_verdict(run, "r1", new=[1, 152])
    assert run.failed_checks() == [FORGIVEN]


def test_a_step_that_passed_without_evidence_is_caught(run: Any) -> None:
    change_verdict(run, "r1", log_assurance=2.9)
    assert run.failed_checks() == [FORGIVEN]


def test_a_step_that_passed_before_the_verdict_is_caught(run: Any) -> None:
    place = entry_of(run, "r1", "verdict")
    run.seen.audit[place] = replace(run.seen.audit[place], at=run.seen.audit[place + 1].at)
    assert run.failed_checks() == [FORGIVEN]
    assert "before the judge had said so" in detail_of(run, FORGIVEN)


def test_a_step_that_nobody_judged_is_caught(run: Any) -> None:
    del run.seen.audit[entry_of(run, "r1", "verdict")]
    assert run.failed_checks() == [FORGIVEN]


def test_a_good_version_that_is_stopped_by_bad_luck_is_caught(run: Any) -> None:
    run.seen.rollouts[0] = replace(run.seen.rollouts[0], outcome="ROLLED_BACK")
    assert FORGIVEN in run.failed_checks()


def test_a_wrong_version_that_is_promoted_is_caught(run: Any) -> None:
    run.seen.rollouts[2] = replace(run.seen.rollouts[2], outcome="PROMOTED")
    assert run.failed_checks() == [WRONG]


@pytest.mark.parametrize(
    "cause",
    [
        "alarm rain-local-blue-unhealthy",
        "it is worse than 1.1.0: 5xx 9/80 vs 0/720, evidence that it is worse 90:1",
        "the model package is Rejected and no longer Approved",
    ],
)
def test_a_wrong_version_that_went_for_another_cause_is_caught(run: Any, cause: str) -> None:
    place = entry_of(run, "r3", "abort")
    run.seen.audit[place] = replace(run.seen.audit[place], text=abort_text(cause, "1.3.0"))
    assert run.failed_checks() == [WRONG]
    assert cause in detail_of(run, WRONG)


def test_a_rollback_without_the_judges_numbers_is_caught(run: Any) -> None:
    del run.seen.audit[entry_of(run, "r3", "verdict")]
    assert run.failed_checks() == [WRONG]


@pytest.mark.parametrize("change", [{"log_harm": 2.9}, {"new": [0, 100]}, {"metric": "5xx"}])
def test_numbers_that_do_not_say_so_are_caught(run: Any, change: dict[str, Any]) -> None:
    change_verdict(run, "r3", **change)
    assert run.failed_checks() == [WRONG]


def test_a_wrong_version_that_failed_a_request_is_caught(run: Any) -> None:
    number = change_requests(run, of_the_wrong_version(run), failure="ModelError", status=424, model_status=500)
    assert WRONG in run.failed_checks()
    assert f"it failed {number} of its {number} requests" in detail_of(run, WRONG)


def test_a_wrong_version_whose_answers_were_right_is_caught(run: Any) -> None:
    change_requests(run, of_the_wrong_version(run), right=True)
    assert run.failed_checks() == [WRONG]


def test_a_wrong_version_whose_alarm_went_off_is_caught(run: Any) -> None:
    last = run.seen.alarms[-1]
    run.seen.alarms.append(replace(last, since=run.seen.started + 175, at=run.seen.started + 175))
    assert run.failed_checks() == [WRONG]


def test_a_wrong_version_with_more_than_the_first_steps_weight_is_caught(run: Any) -> None:
    for place, sighting in enumerate(run.seen.sightings):
        if 170 <= sighting.asked - run.seen.started < 180:
            run.seen.sightings[place] = replace(sighting, weights={"green": 50.0, "blue": 50.0})
    assert FOUND in run.failed_checks()


def test_a_wrong_version_that_is_found_late_is_caught(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_checks, "FOUND_WITHIN_SECONDS", 19.0)
    assert run.failed_checks() == ["1.3.0 is found out at its first step, within 19 s"]


def test_a_verdict_of_another_rollout_does_not_count(run: Any) -> None:
    found = finding("answers", [97, 100], 6.02, -9.0, "answers 97/100")
    del run.seen.audit[entry_of(run, "r3", "verdict")]
    run.seen.audit.append(verdict_entry(9, 178, "r2", "rollback", "Rolled back.", found))
    assert run.failed_checks() == [WRONG]
