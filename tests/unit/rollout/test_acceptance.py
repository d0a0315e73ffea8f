"""What other controllers' suites taught the field, as facts about this one."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.errors import RetryableError
from lambdas.rollout.policy import Policy, PolicyError, Step
from lambdas.rollout.state import Phase

HOUR = 3600


def weights(world: Any, slot: str = "green") -> list[float]:
    """Return the weights that a slot was given, in turn."""
    return [each[slot] for each in world.sagemaker.named("set_weights")]


def change(world: Any, **policy: Any) -> None:
    """Deploy another policy."""
    world.settings.policy = replace(world.settings.policy, **policy)


def test_newer_version_mid_canary_restarts_from_zero(world: Any) -> None:
    change(world, newer_version="restart")
    world.approve("1.1.0")
    world.until(lambda state: state.rollout is not None and state.rollout.step == 1)
    world.pass_time(5)
    world.approve("1.2.0")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK"), ("1.2.0", "PROMOTED")]
    assert weights(world) == [10, 50, 0, 10, 50, 100]


def test_third_version_mid_canary_keeps_the_first_as_the_stable_one(world: Any) -> None:
    change(world, newer_version="restart")
    for version in ("1.1.0", "1.2.0"):
        world.approve(version)
        world.until(
            lambda state, v=version: state.rollout and state.rollout.version == v and state.rollout.phase is Phase.BAKE
        )
    world.approve("1.3.0")
    world.until(lambda state: state.rollout and state.rollout.version == "1.3.0")
    assert world.store.state.live.version == "bootstrap"
    assert world.store.state.rollout.stable_config == world.store.state.seed_config
    world.until_over()
    assert world.store.state.live.version == "1.3.0"


def test_newer_version_queues_where_the_policy_says_so(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.approve("1.2.0")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED"), ("1.2.0", "PROMOTED")]


def test_stable_version_submitted_again_mid_canary_returns_to_it_at_once(world: Any) -> None:
    first = world.approve("1.1.0")
    world.until_over()
    world.approve("1.2.0")
    world.until_phase(Phase.BAKE)
    world.decide(first, "Rejected")
    world.pass_time(30)
    world.decide(first, "Approved")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED"), ("1.2.0", "ROLLED_BACK")]
    assert world.store.state.live.version == "1.1.0"


def test_retry_after_an_abort_starts_at_the_first_step(world: Any) -> None:
    world.approve("1.1.0")
    world.until(lambda state: state.rollout is not None and state.rollout.step == 1)
    world.command("abort", "c1")
    world.until_over()
    world.command("retry", "c2")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK"), ("1.1.0", "PROMOTED")]
    assert weights(world)[-3:] == [10, 50, 100]


def test_abort_with_nothing_under_way_changes_nothing(world: Any) -> None:
    before = len(world.sagemaker.calls)
    world.command("abort")
    world.pass_time(300)
    assert world.sagemaker.named("update") == []
    assert [kind for kind, _ in world.sagemaker.calls[before:] if kind not in ("keep_scaling",)] == []
    assert any("not under way" in text for text in world.store.texts("command"))


def test_promote_full_after_an_abort_skips_the_steps(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.command("abort", "c1")
    world.until_over()
    world.command("promote", "c2", full=True)
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK"), ("1.1.0", "PROMOTED")]
    assert weights(world) == [10, 0, 100]


def test_promote_during_the_watch_is_one_step(world: Any) -> None:
    change(world, steps=(Step(10, 900), Step(50, 900), Step(100)), progress_deadline_seconds=HOUR)
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.pass_time(60)
    world.command("promote", "c1")
    world.pass_time(300)
    assert world.store.state.rollout.step == 1
    assert world.store.state.rollout.phase is Phase.BAKE


def test_watch_that_ended_while_somebody_paused_stays_paused(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.command("pause", "c1")
    world.pass_time(600)
    assert world.store.state.rollout.step == 0
    world.command("resume", "c2")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_pause_longer_than_the_progress_deadline_is_no_failure(world: Any) -> None:
    change(world, progress_deadline_seconds=100)
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.command("pause", "c1")
    world.pass_time(HOUR)
    assert world.store.state.rollout.phase is Phase.BAKE
    world.command("resume", "c2")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_approval_gate_does_not_blind_the_alarms(world: Any) -> None:
    change(world, steps=(Step(10, 20, approval=True), Step(100)))
    world.approve("1.1.0")
    world.until_phase(Phase.APPROVE)
    world.fail("green")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_weight_call_that_fails_advances_nothing_and_is_repeated(world: Any) -> None:
    world.sagemaker.refusals = {"set_weights": [RetryableError("Throttling: slow down")] * 2}
    world.approve("1.1.0")
    world.until(lambda _: len(world.sagemaker.refusals["set_weights"]) == 1)
    assert world.store.state.rollout.phase is Phase.SHIFT
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_weight_that_is_accepted_but_not_in_effect_starts_no_clock(world: Any) -> None:
    world.endpoint.weights_seconds = 300
    world.approve("1.1.0")
    called = world.until(lambda _: world.sagemaker.named("set_weights"))
    world.pass_time(200)
    assert world.store.state.rollout.phase is Phase.SHIFT
    assert world.store.state.rollout.verified_since is None
    verified = world.until_phase(Phase.BAKE).rollout.verified_since
    assert verified - called.rollout.phase_since >= 300


def test_plan_that_is_edited_mid_rollout_is_for_the_next_one(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    change(world, steps=(Step(30, 20), Step(100)))
    world.until_over()
    assert weights(world) == [10, 50, 100]
    world.approve("1.2.0")
    world.until_over()
    assert weights(world, "blue")[3:] == [30, 100]


@pytest.mark.parametrize(("hours", "steps"), [(1, [100]), (3, [10, 50, 100])])
def test_way_back_skips_the_steps_inside_the_rollback_window_only(world: Any, hours: int, steps: list[float]) -> None:
    change(world, rollback_window_seconds=2 * HOUR)
    first = world.approve("1.1.0")
    world.until_over()
    world.approve("1.2.0")
    world.until_over()
    world.pass_time(hours * HOUR)
    before = len(weights(world))
    world.decide(first, "Rejected")
    world.pass_time(30)
    world.decide(first, "Approved")
    world.until_over()
    assert world.store.state.live.version == "1.1.0"
    assert weights(world)[before:] == steps


def test_good_version_after_an_aborted_one_becomes_the_stable_one(world: Any) -> None:
    world.approve("1.1.0")
    world.until_over()
    world.approve("1.2.0")
    world.until_phase(Phase.BAKE)
    world.command("abort")
    world.until_over()
    world.approve("1.3.0")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED"), ("1.2.0", "ROLLED_BACK"), ("1.3.0", "PROMOTED")]
    assert world.store.state.live.version == "1.3.0"


def test_step_weight_over_a_hundred_is_refused() -> None:
    with pytest.raises(PolicyError, match="from 1 to 100"):
        Policy.from_dict({"steps": [{"weight": 110}], "soak_seconds": 60, "progress_deadline_seconds": 600})


def test_controller_that_restarts_mid_measurement_measures_on(make_world: Any) -> None:
    undisturbed = make_world()
    undisturbed.approve()
    undisturbed.until_phase(Phase.BAKE)
    calls = undisturbed.crashes.count
    undisturbed.until_over()
    for at in range(calls, undisturbed.crashes.count):
        world = make_world()
        world.crashes.at = at
        world.approve()
        world.until_over()
        assert world.outcomes == [("1.1.0", "PROMOTED")], at
        assert weights(world) == [10, 50, 100], at
        world.check()


def test_endpoint_that_is_being_updated_is_waited_for(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.endpoint.begin(600, lambda: None, "SystemUpdating")
    world.pass_time(500)
    assert world.store.state.rollout.phase is Phase.BAKE
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_approval_that_comes_twice_is_one_rollout(world: Any) -> None:
    arn = world.register("1.1.0")
    said = world.decide(arn, "Approved")
    world.until_phase(Phase.BAKE)
    world.hear(arn, said)
    world.until_over()
    world.hear(arn, said)
    world.pass_time(HOUR)
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_alarm_that_is_on_already_keeps_a_rollout_from_starting_and_is_named(world: Any) -> None:
    world.alarms.bad["green"] = "ALARM"
    world.approve("1.1.0")
    world.pass_time(600)
    assert world.store.state.rollout is None
    assert any("rain-local-green-unhealthy has not cleared" in text for text in world.store.texts("hold"))
    world.alarms.bad.clear()
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_alarm_whose_event_is_lost_is_found_by_the_sweep(make_world: Any) -> None:
    world = make_world(lose_timers=True, lose_events=True)
    change(world, steps=(Step(10, HOUR), Step(100)), progress_deadline_seconds=2 * HOUR)
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    alarmed = world.clock.now()
    world.fail("green")
    world.until(lambda _: weights(world)[-1] == 0)
    assert world.clock.now() - alarmed < 65
    world.check()
