"""Where a rollout stands, and what it waits for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.policy import Judging, Window
from lambdas.rollout.state import Phase
from tests.unit.tidegate.states import FREEZE, HOOK, IDLE, NEXT, NOW, POLICY, SHADOW, rolling, rollout
from tidegate.steps import steps_of
from tidegate.waiting import starts_at_once, waits_for

FRESH = {"step": 0, "done": (), "smoke_passed": 0, "verified_since": None, "cleared": ()}
CLOSED = (Window(("mon",), "08:00", "09:00"),)
"""NOW is a Friday."""


def statuses(**changes: Any) -> str:
    letters = {"done": "d", "present": "P", "to-come": ".", "given-up": "X", "not-reached": "n"}
    return "".join(letters[part.status] for part in steps_of(rollout(**changes), NOW))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({**FRESH, "phase": Phase.PREPARE}, "P....."),
        ({**FRESH, "phase": Phase.TEST}, "P....."),
        ({**FRESH, "phase": Phase.SHIFT}, "dP...."),
        ({"phase": Phase.BAKE, "step": 2}, "dddP.."),
        ({"phase": Phase.SOAK, "step": 3}, "ddddP."),
        ({"phase": Phase.FINALIZE, "step": 3}, "dddddP"),
        ({"phase": Phase.ROLLBACK, "step": 2, "abort_reason": "alarm"}, "dddXnn"),
        ({**FRESH, "phase": Phase.RESTORE, "abort_reason": "no capacity"}, "Xnnnnn"),
        ({**FRESH, "phase": Phase.SHADOW, "policy": SHADOW}, "P......"),
        ({**FRESH, "phase": Phase.PREPARE, "policy": SHADOW}, "dP....."),
        ({"phase": Phase.BAKE, "policy": SHADOW, "step": 0}, "ddP...."),
        (
            {**FRESH, "verified_since": NOW, "phase": Phase.ROLLBACK, "policy": SHADOW, "abort_reason": "worse"},
            "Xnnnnnn",
        ),
        (
            {
                **FRESH,
                "done": ("CreateMixedConfig",),
                "phase": Phase.ROLLBACK,
                "policy": SHADOW,
                "abort_reason": "quota",
            },
            "dXnnnnn",
        ),
    ],
)
def test_statuses_of_the_parts(changes: dict[str, Any], expected: str) -> None:
    assert statuses(**changes) == expected


def test_only_the_present_part_has_time_left() -> None:
    assert [part.left_seconds for part in steps_of(rollout(), NOW)] == [None, None, 240.0, None, None, None]
    assert [part.left_seconds for part in steps_of(rollout(bake_skipped=True), NOW)][2] == 0.0
    assert [part.left_seconds for part in steps_of(rollout(), NOW + 900)][2] == 0.0


@pytest.mark.parametrize(
    ("changes", "what", "until"),
    [
        ({"phase": Phase.PREPARE, "verified_since": None}, "the instances of green to start", None),
        ({"phase": Phase.TEST, "verified_since": None}, "the smoke test", None),
        ({"phase": Phase.SHIFT, "verified_since": None}, "25 % of the traffic on green, verified", None),
        ({}, "the bake", NOW + 240),
        ({"phase": Phase.SOAK, "step": 3}, "the soak", NOW + 1440),
        ({"phase": Phase.SHADOW, "policy": SHADOW}, "copied requests to be answered", NOW + 240),
        (
            {"verified_since": NOW - 601, "remark": "3 of 10 periods have been seen"},
            "3 of 10 periods have been seen",
            None,
        ),
        ({"verified_since": NOW - 601}, "a look at the alarms and the requests answered", None),
        ({"paused": True}, "somebody to resume it", None),
        ({"phase": Phase.APPROVE}, "somebody to approve this step (approve --step), or to abort", None),
        ({"phase": Phase.APPROVE, "paused": True}, "somebody to resume it", None),
        (
            {"phase": Phase.SHIFT, "verified_since": None, "asked_since": NOW - 20},
            "the hook ask-the-change-board to answer",
            NOW + 40,
        ),
        ({"retry_at": NOW + 10, "failures": 2}, "another try (2 failed)", NOW + 10),
        ({"retry_at": NOW - 10, "failures": 2}, "the bake", NOW + 240),
        ({"phase": Phase.ROLLBACK}, "green to have no traffic", None),
        ({"phase": Phase.RESTORE}, "the instances of green to be removed", None),
        ({"phase": Phase.FINALIZE}, "the instances of blue to be removed", None),
        ({"phase": Phase.FINALIZE, "retry_at": NOW + 10, "failures": 1}, "another try (1 failed)", NOW + 10),
        ({"phase": Phase.ROLLBACK, "paused": True}, "green to have no traffic", None),
    ],
)
def test_what_an_active_rollout_waits_for(changes: dict[str, Any], what: str, until: float | None) -> None:
    found = waits_for(rolling(**changes), POLICY, NOW)
    assert (found.what, found.until) == (what, until)


def test_a_closed_window_and_a_freeze_hold_up_what_is_not_urgent() -> None:
    closed = replace(POLICY, windows=CLOSED)
    monday = waits_for(rolling(policy=closed), POLICY, NOW)
    assert monday.what == "its deployment window to open"
    assert monday.until is not None
    assert monday.until > NOW
    assert waits_for(rolling(policy=closed, urgent=True), POLICY, NOW).what == "the bake"
    frozen = replace(rolling(), frozen=FREEZE)
    assert waits_for(frozen, POLICY, NOW).what == "an unfreeze (frozen by alice: Black Friday)"
    assert waits_for(replace(rolling(urgent=True), frozen=FREEZE), POLICY, NOW).what == "the bake"


def test_what_waits_to_start_is_not_idle_unless_people_or_the_hour_hold_it_up() -> None:
    queued = replace(IDLE, queued=NEXT)
    assert starts_at_once(queued, POLICY, NOW)
    assert not starts_at_once(IDLE, POLICY, NOW)
    assert not starts_at_once(replace(queued, frozen=FREEZE), POLICY, NOW)
    assert not starts_at_once(queued, replace(POLICY, windows=CLOSED), NOW)
    assert starts_at_once(replace(IDLE, queued=replace(NEXT, urgent=True), frozen=FREEZE), POLICY, NOW)


def test_what_keeps_a_version_from_starting_is_told() -> None:
    queued = replace(IDLE, queued=NEXT, remark="alarm rain-local-green-unhealthy has not cleared yet")
    assert waits_for(queued, POLICY, NOW).what == (
        "1.3.0 to start: alarm rain-local-green-unhealthy has not cleared yet"
    )
    assert waits_for(IDLE, POLICY, NOW).what == ""


def test_a_step_that_asks_for_want_of_evidence_shows_an_approval() -> None:
    asked = rollout(policy=replace(POLICY, judge=Judging()), cleared=("asked:1",))
    names = [[gate.name for gate in part.gates] for part in steps_of(asked, NOW)[1:5]]
    assert names == [["judged"], ["before", "judged", "approval"], ["judged", "approval"], []]
    assert not steps_of(rollout(), NOW)[1].gates


def test_gates_tell_which_have_been_passed() -> None:
    parts = steps_of(rollout(cleared=("before:1", "approval:2")), NOW)
    assert [(gate.name, gate.passed, gate.function) for gate in parts[2].gates] == [("before", True, HOOK)]
    assert [(gate.name, gate.passed) for gate in parts[3].gates] == [("approval", True)]
    assert not any(gate.passed for part in steps_of(rollout(cleared=()), NOW) for gate in part.gates)
