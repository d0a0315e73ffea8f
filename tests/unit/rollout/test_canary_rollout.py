"""Whole rollouts in virtual time: forward to promotion, and back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.errors import EndpointBusyError, ModelAnswerError, PermanentError, RetryableError, TimedOutError
from lambdas.rollout.policy import Shadow, Step
from lambdas.rollout.state import FORWARD, Phase

PHASES = sorted(FORWARD)


def test_approved_version_is_promoted_step_by_step(world: Any) -> None:
    world.approve("1.1.0")
    state = world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert state.live.slot == "green"
    assert state.live.version == "1.1.0"
    assert world.endpoint.config == state.live.config
    assert set(world.endpoint.variants) == {"green"}
    shares = [weights["green"] for weights in world.sagemaker.named("set_weights")]
    assert shares == [10, 50, 100]
    assert world.invoker.invoked == ["green"] * 3


def test_next_version_takes_the_free_slot(world: Any) -> None:
    world.approve("1.1.0")
    world.until_over()
    world.approve("1.2.0")
    assert world.until_over().live.slot == "blue"
    assert world.outcomes == [("1.1.0", "PROMOTED"), ("1.2.0", "PROMOTED")]


def test_every_step_is_baked_for_as_long_as_the_policy_says(world: Any) -> None:
    world.approve()
    for phase, seconds in ((Phase.BAKE, 20), (Phase.SOAK, 20)):
        begun = world.until_phase(phase).rollout
        assert begun is not None
        step = begun.step
        after = world.until(lambda s, step=step, phase=phase: s.rollout is None or (s.rollout.phase is not phase))
        assert after.rollout is not None
        assert after.rollout.phase_since - begun.verified_since >= seconds
        assert after.rollout.step in (step, step + 1)


@pytest.mark.parametrize("phase", PHASES)
def test_alarm_takes_the_canary_off_from_any_phase_before_finalize(world: Any, phase: Phase) -> None:
    steps = (Step(10, 20), Step(50, 20, approval=True), Step(100))
    world.settings.policy = replace(
        world.settings.policy, strategy="shadow", shadow=Shadow(30), then="canary", steps=steps
    )
    # A smoke test without an answer keeps the rollout in TEST for a while.
    world.invoker.errors = [TimedOutError("Read timeout")]
    world.approve("1.2.0")
    if phase is Phase.SOAK:
        world.until_phase(Phase.APPROVE)
        world.command("approve")
    world.until_phase(phase)
    world.fail("green")
    state = world.until_over()
    assert world.outcomes == [("1.2.0", "ROLLED_BACK")]
    assert world.endpoint.config == state.seed_config
    assert world.endpoint.status == "InService"
    assert set(world.endpoint.variants) == {"blue"}
    assert world.endpoint.variants["blue"].stands_at(100)
    [summary] = world.store.summaries.values()
    assert "rain-local-green-5xx-rate" in summary["reason"]
    assert "21.0 > 5.0" in summary["reason"]


def test_alarm_in_finalize_no_longer_takes_the_new_version_off(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.FINALIZE)
    world.fail("green")
    world.command("abort")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert any("cannot be stopped" in text for text in world.store.texts("command"))


def test_canary_weight_is_zero_soon_after_an_alarm(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.fail("green")
    begun = world.clock.now()
    world.until_phase(Phase.RESTORE)
    assert world.endpoint.variants["green"].stands_at(0)
    assert world.clock.now() - begun < 10


def test_alarm_whose_event_is_lost_is_still_seen(make_world: Callable[..., Any]) -> None:
    world = make_world(lose_timers=True, lose_events=True)
    world.approve()
    world.until_phase(Phase.SOAK)
    world.fail("green")
    begun = world.clock.now()
    world.until_phase(Phase.ROLLBACK, Phase.RESTORE)
    assert world.clock.now() - begun <= 120
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    world.check()


def test_too_little_traffic_never_promotes(world: Any) -> None:
    world.alarms.bad["green"] = "INSUFFICIENT_DATA"
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert world.sagemaker.named("set_weights")[0]["green"] == 10
    [summary] = world.store.summaries.values()
    assert "deadline" in summary["reason"]
    assert "too few requests" in summary["reason"]


def test_missing_alarm_keeps_a_rollout_from_starting(world: Any) -> None:
    world.alarms.missing = True
    world.approve()
    world.pass_time(300)
    assert world.outcomes == []
    assert len(world.store.texts("hold")) == 1
    world.alarms.missing = False
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_alarms_that_cannot_be_read_do_not_promote(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.alarms.error = RetryableError("Throttling: slow down")
    state = world.pass_time(300)
    assert (state.rollout.phase, state.rollout.step) == (Phase.BAKE, 0)
    world.alarms.error = None
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_slot_whose_alarm_still_shows_its_last_tenant_waits(world: Any) -> None:
    world.alarms.bad["green"] = "ALARM"
    world.approve()
    world.pass_time(60)
    assert world.outcomes == []
    del world.alarms.bad["green"]
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_model_that_fails_the_smoke_test_sees_no_traffic(world: Any) -> None:
    world.invoker.errors = [ModelAnswerError("the model answered 500: boom")]
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert all(weights["green"] == 0 for weights in world.sagemaker.named("set_weights"))
    assert "boom" in world.store.texts("abort")[0]


def test_smoke_test_without_an_answer_is_tried_again(world: Any) -> None:
    world.invoker.errors = [TimedOutError("Read timeout")]
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_failed_updates_are_tried_three_times_and_then_given_up(world: Any) -> None:
    world.endpoint.failures = ["Unable to provision ml.g5.xlarge: insufficient capacity"] * 3
    world.approve()
    state = world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert len(world.sagemaker.named("update")) == 3
    assert world.endpoint.config == state.seed_config
    assert "insufficient capacity" in world.store.texts("abort")[0]


def test_update_that_fails_once_is_tried_again(world: Any) -> None:
    world.endpoint.failures = ["The container did not pass the ping health check"]
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_finalize_without_capacity_is_retried_and_never_aborted(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.SOAK)
    world.endpoint.failures = ["insufficient capacity"] * 7
    world.until(lambda state: not world.endpoint.failures, limit=20000)
    assert world.endpoint.variants["green"].stands_at(100)
    world.until_over(20000)
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_restore_without_capacity_is_retried_while_the_stable_version_serves(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.fail("green")
    world.endpoint.failures = ["insufficient capacity"] * 4
    world.until_over(20000)
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_refused_calls_are_repeated_until_the_endpoint_is_free(world: Any) -> None:
    busy = EndpointBusyError("ValidationException: Cannot update in-progress endpoint")
    world.sagemaker.refusals = {"update": [busy, busy], "set_weights": [RetryableError("Throttling"), busy]}
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert world.store.texts("failure") == []


def test_call_that_is_not_allowed_is_named_and_ends_the_rollout(world: Any) -> None:
    denied = PermanentError("AccessDeniedException: not authorized to perform: sagemaker:CreateModel")
    world.sagemaker.refusals = {"create_model": [denied] * 3}
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    [summary] = world.store.summaries.values()
    assert "sagemaker:CreateModel" in summary["reason"]


def test_system_update_in_the_middle_is_waited_for(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.endpoint.begin(200, lambda: None, "SystemUpdating")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_drifting_weight_restarts_the_bake(world: Any) -> None:
    world.approve()
    begun = world.until_phase(Phase.BAKE).rollout.verified_since
    world.pass_time(12)
    drifted = replace(world.endpoint.variants["green"], weight=40, desired_weight=40)
    world.endpoint.variants["green"] = drifted
    state = world.until(lambda s: s.rollout.phase is Phase.BAKE and s.rollout.verified_since > begun + 10)
    assert state.rollout.step == 0
    assert len(world.store.texts("drift")) == 1
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_new_slot_gets_as_many_instances_as_serve_now(world: Any) -> None:
    world.endpoint.variants["blue"] = replace(world.endpoint.variants["blue"], count=3, desired_count=3)
    world.approve()
    world.until_phase(Phase.BAKE)
    assert world.endpoint.variants["green"].count == 3


def test_another_hand_on_the_endpoint_ends_the_rollout_without_a_fight(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.endpoint.config, world.endpoint.variants = "by-hand", {"green": world.endpoint.variants["green"]}
    mutations = len(world.sagemaker.named("update")) + len(world.sagemaker.named("set_weights"))
    state = world.until_over()
    assert world.outcomes == [("1.1.0", "ABANDONED")]
    assert state.live.config == "by-hand"
    assert len(world.sagemaker.named("update")) + len(world.sagemaker.named("set_weights")) == mutations
    assert any("by-hand" in text for text in world.store.texts("abandoned"))


def test_stable_config_put_back_by_hand_counts_as_an_abort(world: Any) -> None:
    world.approve()
    state = world.until_phase(Phase.BAKE)
    world.endpoint.config = state.rollout.stable_config
    world.endpoint.variants = {"blue": world.endpoint.variants["blue"]}
    world.endpoint.modified_at = world.clock.now()
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_deleted_endpoint_ends_the_rollout(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.endpoint.lost = "Missing"
    world.pass_time(120)
    assert world.outcomes == [("1.1.0", "ABANDONED")]


def test_people_are_told_of_start_rollback_and_promotion(world: Any) -> None:
    world.approve("1.1.0")
    world.until_over()
    world.approve("1.2.0")
    world.until_phase(Phase.BAKE)
    world.fail("blue")
    world.until_over()
    told = [subject.removeprefix("rain-local: ") for subject in world.notifier.subjects]
    assert told == [
        "rolling out 1.1.0",
        "promoted 1.1.0",
        "rolling out 1.2.0",
        "rolling back 1.2.0",
        "rolled back 1.2.0",
    ]


def test_notification_that_cannot_be_sent_holds_nothing_up_and_is_sent_later(world: Any) -> None:
    world.notifier.error = RetryableError("Throttling")
    world.approve()
    world.until_phase(Phase.BAKE)
    assert world.notifier.subjects == []
    world.notifier.error = None
    world.until_over()
    assert "rain-local: rolling out 1.1.0" in world.notifier.subjects


def test_every_log_line_of_a_rollout_names_endpoint_rollout_and_phase(world: Any) -> None:
    world.approve()
    world.until_over()
    lines = [fields for text, fields in world.log.lines if "takes 10 %" in text]
    assert lines[0]["endpoint"] == "rain-local"
    assert lines[0]["phase"] == "BAKE"
    assert lines[0]["rollout"] in world.store.summaries
