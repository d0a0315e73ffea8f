"""What holds a healthy rollout up: approvals, hooks, windows, a freeze; and what such waiting does not count for."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.rollout.errors import PermanentError
from lambdas.rollout.policy import Hook, Policy, Step, Window
from lambdas.rollout.ports import Answer
from lambdas.rollout.state import Freeze, Phase

TIMES: dict[str, Any] = {"soak_seconds": 20, "progress_deadline_seconds": 600, "peak_instances": 1}
HOOK = Hook("arn:aws:lambda:us-east-1:111122223333:function:may-it", timeout_seconds=60)


def begin(world: Any, *steps: Step, **policy: Any) -> None:
    """Start rolling 1.1.0 out."""
    world.settings.policy = Policy(**{**TIMES, **policy}, steps=(*steps, Step(100)))
    world.approve()


def reason(world: Any) -> str:
    """Return why the only rollout was taken back."""
    [summary] = world.store.summaries.values()
    return str(summary["reason"])


def test_hooks_are_asked_before_the_weight_and_after_the_watch(world: Any) -> None:
    begin(world, Step(10, 20, before=HOOK, after=HOOK))
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert [(asked["when"], asked["weight"]) for asked in world.hooks.asked] == [("before", 10), ("after", 10)]
    assert world.hooks.asked[0]["id"] != world.hooks.asked[1]["id"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_no_go_takes_the_rollout_back(world: Any, when: str) -> None:
    world.hooks.answers = [Answer("no-go", "the fraud team says no")]
    begin(world, Step(10, 20, **{when: HOOK}))
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "said no-go" in reason(world)
    assert "the fraud team says no" in reason(world)


def test_no_go_before_the_first_weight_leaves_no_traffic(world: Any) -> None:
    world.hooks.answers = [Answer("no-go")]
    begin(world, Step(10, 20, before=HOOK))
    world.until_over()
    assert all(weights["green"] == 0 for weights in world.sagemaker.named("set_weights"))


def test_hook_that_waits_is_asked_again_with_the_same_id(world: Any) -> None:
    world.hooks.answers = [Answer("wait", "still counting"), PermanentError("it crashed"), Answer("go")]
    begin(world, Step(10, 20, after=HOOK))
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert len({asked["id"] for asked in world.hooks.asked}) == 1
    assert len(world.hooks.asked) == 3


@pytest.mark.parametrize("answer", [Answer("wait"), PermanentError("Unhandled: no such thing")])
def test_hook_without_a_go_in_time_is_a_no_go(world: Any, answer: Any) -> None:
    world.hooks.answers = [answer]
    begin(world, Step(10, 20, before=HOOK))
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert re.search(r"6\d s after it was first asked", reason(world))


def test_alarm_rolls_back_while_a_hook_says_to_wait(world: Any) -> None:
    world.hooks.answers = [Answer("wait")]
    begin(world, Step(10, 20, after=replace(HOOK, timeout_seconds=500)))
    world.until(lambda _: world.hooks.asked)
    world.fail("green")
    world.until_over()
    assert "5xx-rate" in reason(world)


def test_approval_is_waited_for_without_a_deadline(world: Any) -> None:
    begin(world, Step(10, 20, approval=True))
    world.until_phase(Phase.APPROVE)
    world.pass_time(24 * 3600)
    assert world.store.state.rollout.phase is Phase.APPROVE
    assert any("waits for approval" in subject for subject in world.notifier.subjects)
    world.command("approve")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_alarm_rolls_back_while_an_approval_is_waited_for(world: Any) -> None:
    begin(world, Step(10, 20, approval=True))
    world.until_phase(Phase.APPROVE)
    world.pass_time(3600)
    world.fail("green")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_weights_changed_by_hand_during_an_approval_are_set_again(world: Any) -> None:
    begin(world, Step(10, 20, approval=True))
    world.until_phase(Phase.APPROVE)
    green = world.endpoint.variants["green"]
    world.endpoint.variants["green"] = replace(green, weight=30.0, desired_weight=30.0)
    world.until_phase(Phase.SHIFT)
    world.until_phase(Phase.APPROVE)
    assert world.endpoint.variants["green"].stands_at(10)


def test_deadline_counts_what_makes_no_progress(world: Any) -> None:
    begin(world, Step(10, 20))
    world.metrics.per_second = 0
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "without progress" in reason(world)


def test_pause_longer_than_the_deadline_is_no_failure(world: Any) -> None:
    begin(world, Step(10, 20))
    world.until_phase(Phase.BAKE)
    world.command("pause", "c1")
    world.pass_time(3600)
    assert world.store.state.rollout.phase is Phase.BAKE
    world.command("resume", "c2")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_time_before_a_pause_still_counts_for_the_deadline(world: Any) -> None:
    begin(world, Step(10, 20))
    world.metrics.per_second = 0
    world.until_phase(Phase.BAKE)
    world.pass_time(400)
    world.command("pause", "c1")
    world.pass_time(3600)
    world.command("resume", "c2")
    resumed = world.clock.now()
    world.until_over()
    assert 100 < world.clock.now() - resumed < 400


def at(world: Any, day: int, hour: int) -> None:
    """Let it be an hour of a day of a week that starts on Monday, the 18th of January 2027 (UTC)."""
    world.clock.time = datetime(2027, 1, 17 + day, hour, tzinfo=UTC).timestamp()


OFFICE = (Window(("mon", "tue", "wed", "thu"), "08:00", "17:00"),)


def test_rollout_goes_no_further_outside_its_window_and_on_inside(make_world: Any) -> None:
    world = make_world()
    at(world, 4, 16)
    begin(world, Step(10, 4000), windows=OFFICE, timezone="UTC", progress_deadline_seconds=5000)
    world.until_phase(Phase.BAKE)
    world.pass_time(3 * 24 * 3600)
    assert world.store.state.rollout.phase is Phase.BAKE
    assert any("its window opens on Mon" in text for text in world.store.texts("hold"))
    world.until_over(limit=24 * 3600)
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert datetime.fromtimestamp(world.clock.now(), UTC).weekday() == 0


def test_alarm_rolls_back_outside_the_window(make_world: Any) -> None:
    world = make_world()
    at(world, 4, 16)
    begin(world, Step(10, 4000), windows=OFFICE, timezone="UTC", progress_deadline_seconds=5000)
    world.until_phase(Phase.BAKE)
    world.pass_time(24 * 3600)
    world.fail("green")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_freeze_stops_what_goes_forward_but_not_what_goes_back(world: Any) -> None:
    begin(world, Step(10, 20))
    world.until_phase(Phase.BAKE)
    frozen = replace(world.store.state, frozen=Freeze("eve", world.clock.now(), "black friday"))
    world.store.save(frozen, now=world.clock.now())
    world.pass_time(3600)
    assert world.store.state.rollout.phase is Phase.BAKE
    assert any("frozen by eve (black friday)" in text for text in world.store.texts("hold"))
    world.fail("green")
    world.until(lambda state: state.rollout is None)
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_hook_is_not_asked_while_the_rollout_is_paused_and_has_all_its_time_afterwards(world: Any) -> None:
    world.hooks.answers = [Answer("wait"), Answer("wait"), Answer("go")]
    begin(world, Step(10, 20, before=HOOK))
    world.until(lambda _: world.hooks.asked)
    world.command("pause", "c1")
    asked = len(world.hooks.asked)
    world.pass_time(300)
    assert len(world.hooks.asked) == asked
    world.command("resume", "c2")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_way_back_that_an_operator_asked_for_is_held_up_by_no_gate(world: Any) -> None:
    world.approve("1.1.0")
    world.until_over()
    world.hooks.answers = [Answer("no-go")]
    last = Step(100, before=HOOK, after=HOOK, approval=True)
    world.settings.policy = Policy(**TIMES, steps=(Step(10, 20), last), windows=OFFICE)
    at(world, 6, 23)
    world.command("freeze", "c1")
    world.command("rollback", "c2")
    world.until(lambda state: state.live.version == "bootstrap")
    assert world.hooks.asked == []
