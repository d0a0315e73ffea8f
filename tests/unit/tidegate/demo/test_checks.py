"""Each criterion fails when what it is there for happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tidegate.demo.cause import HARDLY_LUCK
from tidegate.demo.observations import UNKNOWN

SWITCHING = "no request is failed by the switching itself"
AFTER_ZERO = "after zero weight no request reaches 1.2.0 or 1.3.0"
TO_ZERO = "from the alarm of 1.2.0 to zero weight within 30 s"
ROLLED_BACK = "1.2.0 ends ROLLED_BACK"
SHARES = "each version's share of the requests agrees with its weight"
STEADY = "the traffic kept its rate"
COUNTED = "20 of 40 requests failed at 10 %, more than 5 %"


def change_request(run: Any, choose: Callable[[Any], bool], **changes: Any) -> None:
    """Change the first request that is chosen."""
    requests = run.seen.requests
    place = next(index for index, request in enumerate(requests) if choose(request))
    requests[place] = replace(requests[place], **changes)


def answered_by(variant: str, after: float, run: Any) -> Callable[[Any], bool]:
    return lambda request: request.variant == variant and request.due > run.seen.started + after and not request.failure


@pytest.mark.parametrize(
    "failure",
    [
        {"failure": "ModelError", "status": 424, "model_status": 500},
        {"failure": "ValidationError", "status": 400},
        {"failure": "ConnectionClosedError", "status": 0, "variant": UNKNOWN},
    ],
)
def test_one_failure_of_a_good_version_is_a_failure_of_the_switching(run: Any, failure: dict[str, Any]) -> None:
    change_request(run, answered_by("green", 70, run), **failure)
    assert SWITCHING in run.failed_checks()


def test_a_platform_error_from_the_bad_version_is_a_failure_of_the_switching(run: Any) -> None:
    change_request(run, answered_by("blue", 115, run), failure="ServiceUnavailable", status=503)
    assert run.failed_checks() == [SWITCHING]


@pytest.mark.parametrize("model_status", [0, 503])
def test_the_end_of_the_bad_versions_container_is_a_failure_of_the_switching(run: Any, model_status: int) -> None:
    change = {"failure": "ModelError", "status": 424, "model_status": model_status}
    change_request(run, answered_by("blue", 115, run), **change)
    assert run.failed_checks() == [SWITCHING]


def test_one_request_that_reaches_the_bad_version_after_zero_is_caught(run: Any) -> None:
    change_request(run, answered_by("green", 137, run), variant="blue")
    assert run.failed_checks() == [AFTER_ZERO]


def test_a_request_sent_before_zero_may_be_answered_after_it(run: Any) -> None:
    zero = run.seen.started + 136.504
    changes = {"variant": "blue", "sent": zero - 0.01, "due": zero - 0.01, "done": zero + 0.05}
    change_request(run, answered_by("green", 136.4, run), **changes)
    assert AFTER_ZERO not in run.failed_checks()


@pytest.mark.parametrize(("place", "outcome"), [(0, "ROLLED_BACK"), (1, "PROMOTED"), (0, "")])
def test_a_wrong_outcome_is_caught(run: Any, place: int, outcome: str) -> None:
    run.seen.rollouts[place] = replace(run.seen.rollouts[place], outcome=outcome, phase=outcome or "SOAK")
    version = run.seen.rollouts[place].version
    assert [name for name in run.failed_checks() if name.startswith(f"{version} ends")]


def test_a_rollback_without_alarm_is_caught(run: Any) -> None:
    run.seen.alarms.clear()
    assert "1.2.0 ends ROLLED_BACK" in run.failed_checks()


def test_a_skipped_step_is_caught(run: Any) -> None:
    run.seen.sightings = [sighting for sighting in run.seen.sightings if sighting.weights.get("green") != 50]
    assert "1.1.0 takes every step of the policy" in run.failed_checks()


def test_a_step_back_is_caught(run: Any) -> None:
    place = next(i for i, sighting in enumerate(run.seen.sightings) if sighting.weights.get("green") == 100) + 4
    run.seen.sightings[place] = replace(run.seen.sightings[place], weights={"blue": 50.0, "green": 50.0})
    assert "1.1.0 takes every step of the policy" in run.failed_checks()


def test_an_endpoint_that_ends_on_anything_else_is_caught(run: Any) -> None:
    run.seen.sightings[-1] = replace(run.seen.sightings[-1], status="Updating")
    assert run.failed_checks() == ["1.1.0 serves alone at the end"]


def test_a_slow_shut_off_is_caught(run: Any) -> None:
    for place, sighting in enumerate(run.seen.sightings):
        if 134 < sighting.at - run.seen.started < 166:
            changes = {"config": "rain-r2-mixed", "weights": {"green": 90.0, "blue": 10.0}}
            run.seen.sightings[place] = replace(sighting, **changes)
    assert TO_ZERO in run.failed_checks()


def test_a_load_generator_that_fell_behind_is_caught(run: Any) -> None:
    run.seen.requests = [
        replace(request, sent=request.due + 2) if index % 4 == 0 else request
        for index, request in enumerate(run.seen.requests)
    ]
    assert "the traffic kept its rate" in run.failed_checks()


def test_a_load_that_was_too_low_is_caught(run: Any) -> None:
    del run.seen.requests[::10]
    assert run.failed_checks() == ["the traffic kept its rate"]


def test_a_blind_stretch_is_caught(run: Any) -> None:
    del run.seen.sightings[200:220]
    assert run.failed_checks() == ["the endpoint was watched throughout"]


def test_an_answer_that_nobody_owns_is_caught(run: Any) -> None:
    change_request(run, answered_by("green", 70, run), variant="purple")
    assert run.failed_checks() == ["every request is attributed to a version"]


def detail_of(run: Any, name: str) -> str:
    return next(str(check["detail"]) for check in run.report()["checks"] if check["name"] == name)


def change_weights(run: Any, since: float, until: float, weights: dict[str, float]) -> None:
    """Change what was seen of the endpoint between two seconds."""
    for place, sighting in enumerate(run.seen.sightings):
        if since <= sighting.asked - run.seen.started < until:
            run.seen.sightings[place] = replace(sighting, weights=weights)


def abort_of(run: Any, rollout: str) -> int:
    """Return where in the trail a rollout's abort is."""
    return next(i for i, entry in enumerate(run.seen.audit) if (entry.rollout, entry.kind) == (rollout, "abort"))


def change_abort(run: Any, second: float, cause: str) -> None:
    """Change when the engine aborted, and why."""
    at = datetime.fromtimestamp(run.seen.started + second, UTC).isoformat()
    text = f"Rolling back 1.2.0 on rain-local: {cause}. It had 10 % of the traffic on blue in BAKE; green takes all."
    place = abort_of(run, "r2")
    run.seen.audit[place] = replace(run.seen.audit[place], at=at, text=text)


def test_a_bad_version_that_never_had_traffic_is_caught(run: Any) -> None:
    change_weights(run, 108, 144, {"green": 100.0, "blue": 0.0})
    failed = run.failed_checks()
    assert ROLLED_BACK in failed
    assert AFTER_ZERO in failed
    assert TO_ZERO in failed
    assert "no weight of it was seen" in detail_of(run, ROLLED_BACK)


def test_a_weight_that_was_zero_before_the_alarm_is_caught(run: Any) -> None:
    change_weights(run, 130, 144, {"green": 100.0, "blue": 0.0})
    assert run.report()["rollouts"][1]["zero_weight_at"] is None
    assert "its weight was zero already" in detail_of(run, ROLLED_BACK)
    assert ROLLED_BACK in run.failed_checks()


def test_a_bad_version_that_answered_nothing_is_caught(run: Any) -> None:
    run.seen.requests = [replace(request, variant="green", failure="") for request in run.seen.requests]
    assert ROLLED_BACK in run.failed_checks()
    assert "it answered no request" in detail_of(run, ROLLED_BACK)


def test_a_bad_version_that_failed_nothing_is_caught(run: Any) -> None:
    run.seen.requests = [r if r.on_purpose else replace(r, failure="") for r in run.seen.requests]
    assert run.failed_checks() == [ROLLED_BACK]


def test_no_client_need_have_met_a_failure_where_few_were_answered(run: Any) -> None:
    start, requests = run.seen.started, run.seen.requests
    bad = [at for at, each in enumerate(requests) if each.variant == "blue" and 100 < each.due - start < 150]
    for at in bad:
        requests[at] = replace(requests[at], failure="", status=200, model_status=None)
    assert ROLLED_BACK in run.failed_checks()
    for at in bad[HARDLY_LUCK - 1 :]:
        requests[at] = replace(requests[at], variant="green")
    assert ROLLED_BACK not in run.failed_checks()
    assert "its own alarm went off; before any client met a failure; the engine's abort" in detail_of(run, ROLLED_BACK)


def test_the_alarm_may_go_off_before_the_first_client_meets_a_failure(run: Any) -> None:
    start = run.seen.started
    run.seen.requests = [
        replace(request, failure="") if 100 < request.due - start < 134 else request for request in run.seen.requests
    ]
    change_request(run, answered_by("blue", 134.2, run), failure="ModelError", status=424, model_status=500)
    assert run.failed_checks() == []


def test_a_rollback_without_an_abort_of_the_engine_is_caught(run: Any) -> None:
    del run.seen.audit[abort_of(run, "r2")]
    assert run.failed_checks() == [ROLLED_BACK]


def test_an_abort_of_another_rollout_does_not_count(run: Any) -> None:
    place = abort_of(run, "r2")
    run.seen.audit[place] = replace(run.seen.audit[place], rollout="r1")
    assert ROLLED_BACK in run.failed_checks()


@pytest.mark.parametrize(
    "cause",
    [
        "the deadline of 10 min has passed, held up because alarm rain-local-blue-unhealthy is ALARM",
        "its alarms could not be read for 300 s (alarm rain-local-blue-unhealthy does not exist)",
        "alarm rain-local-green-unhealthy: it is the other slot's",
        "the model package is Rejected and no longer Approved",
    ],
)
def test_an_abort_for_another_cause_is_caught(run: Any, cause: str) -> None:
    change_abort(run, 134.6, cause)
    assert run.failed_checks() == [ROLLED_BACK]


def test_an_abort_for_the_alarm_may_be_noted_a_moment_before_it(run: Any) -> None:
    change_abort(run, 133.5, "alarm rain-local-blue-unhealthy")
    assert run.failed_checks() == []


def test_an_abort_long_before_the_alarm_that_it_names_is_caught(run: Any) -> None:
    change_abort(run, 132.5, "alarm rain-local-blue-unhealthy")
    assert run.failed_checks() == [ROLLED_BACK]


@pytest.mark.parametrize("metric", ["5xx", "latency"])
def test_the_judges_evidence_of_its_failures_may_come_before_the_alarm(run: Any, metric: str) -> None:
    change_abort(
        run, 131, f"it is worse than the live version: {metric} 20/80 vs 0/720, evidence that it is worse 90:1"
    )
    assert run.failed_checks() == []


def test_the_judges_evidence_of_other_answers_is_not_that_of_its_failures(run: Any) -> None:
    change_abort(run, 131, "it is worse than the live version: answers 20/80, evidence that it is worse 90:1")
    assert run.failed_checks() == [ROLLED_BACK]


def test_counted_errors_may_come_before_the_alarm_and_are_then_measured_from(run: Any) -> None:
    change_abort(run, 131, COUNTED)
    assert run.failed_checks() == []
    bad = run.report()["rollouts"][1]
    assert (bad["alarm_at"], bad["aborted_at"]) == (134.0, 131.0)
    assert bad["to_zero_seconds"] == pytest.approx(5.504)
    assert "3.00 s before the alarm" in detail_of(run, ROLLED_BACK)
    assert "from the abort" in detail_of(run, TO_ZERO)


def test_the_check_says_that_the_alarm_came_first(run: Any) -> None:
    assert "0.60 s after the alarm" in detail_of(run, ROLLED_BACK)
    assert "from the alarm" in detail_of(run, TO_ZERO)


def test_traffic_that_does_not_follow_the_weights_is_caught(run: Any) -> None:
    start = run.seen.started
    run.seen.requests = [
        replace(request, variant="blue") if 45 < request.due - start < 64 and index % 3 else request
        for index, request in enumerate(run.seen.requests)
    ]
    assert run.failed_checks() == [SHARES]


def test_a_step_that_was_too_short_to_judge_is_caught(run: Any) -> None:
    change_weights(run, 46, 66, {"blue": 0.0, "green": 100.0})
    assert SHARES in run.failed_checks()
    assert "50 %" in detail_of(run, SHARES)


def test_a_lost_request_is_caught(run: Any) -> None:
    del run.seen.requests[1000]
    assert run.failed_checks() == [STEADY]


def test_traffic_that_ended_early_is_caught(run: Any) -> None:
    del run.seen.requests[-60:]
    run.seen.handed_out = len(run.seen.requests)
    assert run.failed_checks() == [STEADY]


def test_what_serves_at_the_end_is_said_in_words(run: Any) -> None:
    assert detail_of(run, "1.1.0 serves alone at the end") == "InService, 1.1.0 takes 100 %"
