"""Each criterion fails when what it is there for happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tidegate.demo.observations import UNKNOWN

SWITCHING = "no request is failed by the switching itself"
AFTER_ZERO = "after zero weight no request reaches 1.2.0"


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
    assert run.failed_checks() == ["from alarm to zero weight within 30 s"]


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
