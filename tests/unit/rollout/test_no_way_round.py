"""What might leave a bad version its traffic: thin traffic, a wish at the wrong moment, a held step, lost news."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.actions import CreateFinalConfig
from lambdas.rollout.errors import RetryableError
from lambdas.rollout.operators import take_command
from lambdas.rollout.policy import AbTest, Hook, Policy, Shadow, Step
from lambdas.rollout.ports import Answer
from lambdas.rollout.state import Command, Phase

HOUR = 3600
TIMES: dict[str, Any] = {"soak_seconds": 20, "progress_deadline_seconds": 3 * HOUR, "peak_instances": 1}
HOOK = Hook("arn:aws:lambda:us-east-1:111122223333:function:may-it", timeout_seconds=2 * HOUR)


def reason(world: Any) -> str:
    """Return why the newest rollout was taken back."""
    return str(world.store.summaries[max(world.store.summaries)]["reason"])


def share_by_hand(world: Any, green: float) -> None:
    """Set the weights as somebody at the console would."""
    for slot, weight in (("green", green), ("blue", 100 - green)):
        variant = world.endpoint.variants[slot]
        world.endpoint.variants[slot] = replace(variant, weight=weight, desired_weight=weight)


def test_way_back_at_night_is_not_undone_for_want_of_traffic(world: Any) -> None:
    for version in ("1.1.0", "1.2.0"):
        world.approve(version)
        world.until_over()
    world.metrics.per_second = 0.5
    world.alarms.bad = {"green": "INSUFFICIENT_DATA", "blue": "INSUFFICIENT_DATA"}
    world.command("rollback")
    world.until_over(limit=6 * HOUR)
    assert world.store.state.live.version == "1.1.0"
    assert world.outcomes[-1] == ("1.1.0", "PROMOTED")


def test_way_back_is_taken_back_by_an_alarm_all_the_same(world: Any) -> None:
    for version in ("1.1.0", "1.2.0"):
        world.approve(version)
        world.until_over()
    world.command("rollback")
    world.until_phase(Phase.SOAK)
    world.fail(world.store.state.rollout.slot)
    world.until_over()
    assert world.store.state.live.version == "1.2.0"


def test_rollback_asked_for_while_the_old_version_could_not_be_removed_is_instant(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.SOAK)
    world.endpoint.failures = ["no capacity"] * 50
    world.until_phase(Phase.FINALIZE)
    world.command("rollback")
    world.until_phase(Phase.ROLLBACK)
    world.endpoint.failures.clear()
    world.until(lambda state: state.rollout is None, limit=900)
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "going back to bootstrap was asked for" in reason(world)
    assert world.endpoint.variants["blue"].stands_at(100)


def test_limit_of_the_weight_in_effect_holds_while_the_next_step_waits_for_its_hook(world: Any) -> None:
    world.hooks.answers = [Answer("wait")]
    world.settings.policy = Policy(
        **TIMES, steps=(Step(10, 20, error_rate_percent=1), Step(50, 20, before=HOOK), Step(100))
    )
    world.approve()
    world.until(lambda state: state.rollout and state.rollout.phase is Phase.SHIFT and state.rollout.step == 1)
    world.metrics.failing = {"green": 0.04}
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "at 10 %, more than 1 %" in reason(world)


def test_traffic_taken_off_by_hand_while_a_hook_is_asked_stays_off(world: Any) -> None:
    world.hooks.answers = [Answer("wait")]
    world.settings.policy = Policy(**TIMES, steps=(Step(10, 20), Step(50, 20, before=HOOK), Step(100)))
    world.approve()
    world.until(lambda state: state.rollout and state.rollout.phase is Phase.SHIFT and state.rollout.step == 1)
    share_by_hand(world, 0.0)
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "somebody has lowered its share of the traffic to 0 %" in reason(world)


@pytest.mark.parametrize("kind", ["create_config", "update"])
def test_alarm_is_obeyed_as_long_as_the_old_version_is_not_being_removed(world: Any, kind: str) -> None:
    world.approve()
    world.until_phase(Phase.SOAK)
    world.sagemaker.refusals[kind] = [RetryableError("Throttling: slow down")] * 20
    world.pass_time(60)
    assert len(world.sagemaker.refusals[kind]) < 20
    world.fail("green")
    world.until(lambda state: state.rollout is None or state.rollout.abort_reason is not None, limit=30)
    world.sagemaker.refusals.clear()
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_final_config_exists_before_the_way_back_is_given_up(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.FINALIZE)
    assert CreateFinalConfig.__name__ in world.store.state.rollout.done


def test_waiting_for_an_approval_is_credited_once(world: Any) -> None:
    world.settings.policy = Policy(**TIMES, steps=(Step(10, 20, approval=True), Step(100)))
    world.approve()
    world.until_phase(Phase.APPROVE)
    world.pass_time(72 * HOUR)
    world.command("approve")
    rollout = world.until_phase(Phase.SOAK).rollout
    assert rollout.deadline - world.clock.now() <= 3 * HOUR


@pytest.mark.parametrize(
    "policy",
    [
        {"strategy": "ab-test", "ab_test": AbTest(50, seconds=60, winner="error-rate")},
        {"strategy": "shadow", "shadow": Shadow(60)},
    ],
)
def test_nothing_is_compared_with_a_handful_of_requests(world: Any, policy: dict[str, Any]) -> None:
    world.settings.policy = Policy(**TIMES, **policy)
    answered = world.metrics.answered

    def few_for_the_live_one(name: str, slot: str, *rest: Any, **options: Any) -> Any:
        found = answered(name, slot, *rest, **options)
        return (
            replace(found, periods=tuple(replace(each, requests=1) for each in found.periods[:3]))
            if slot == "blue"
            else found
        )

    world.metrics.answered = few_for_the_live_one
    world.approve()
    world.until(lambda state: state.rollout and state.rollout.phase in (Phase.BAKE, Phase.SHADOW))
    world.pass_time(600)
    assert world.store.texts("verdict") == []
    assert any("bootstrap has answered 3 of 20 requests" in text for text in world.store.texts("hold"))
    assert world.store.state.rollout.phase in (Phase.BAKE, Phase.SHADOW)


def test_no_go_counts_though_a_command_comes_in_while_it_is_given(world: Any) -> None:
    world.settings.policy = Policy(**TIMES, steps=(Step(10, 20), Step(50, 20, before=HOOK), Step(100)))
    ask = world.hooks.ask

    def and_pause(*question: Any) -> Any:
        command = Command("c1", "pause", world.clock.now(), "ops")
        take_command(world.ports, "rain-local", command)
        return ask(*question)

    world.hooks.ask, world.hooks.answers = and_pause, [Answer("no-go")]
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "said no-go" in reason(world)


def test_frozen_endpoint_is_not_updated_for_a_rollout_that_has_just_begun(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.PREPARE)
    before = len(world.sagemaker.named("update"))
    world.command("freeze", "c1")
    world.pass_time(HOUR)
    assert len(world.sagemaker.named("update")) == before
    world.command("unfreeze", "c2")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_shadow_of_all_the_requests_has_instances_for_all_of_them(world: Any) -> None:
    plan = {"strategy": "shadow", "then": "canary", "steps": (Step(10, 20), Step(100)), "capacity": "share"}
    world.settings.policy = Policy(**{**TIMES, **plan, "peak_instances": 4}, shadow=Shadow(30))
    world.approve()
    world.until_over()
    [shadow] = world.sagemaker.shadowing.values()
    assert shadow.count == 4


def test_abort_says_what_share_the_version_really_had(world: Any) -> None:
    world.hooks.answers = [Answer("no-go")]
    world.settings.policy = Policy(**TIMES, steps=(Step(50, 20, before=HOOK), Step(100)))
    world.approve()
    world.until_over()
    [text] = world.store.texts("abort")
    assert "It had no traffic on green" in text
