"""What operators say go to: a watch, a step that asks for approval, the steps that are left, what has failed."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.policy import Shadow, Step
from lambdas.rollout.state import Phase, Rollout, State


def asking(world: Any) -> None:
    """Have the first step ask for approval."""
    world.settings.policy = replace(world.settings.policy, steps=(Step(10, 20, approval=True), Step(50, 20), Step(100)))


def weights(world: Any) -> list[float]:
    """Return the shares that the new version was given."""
    return [given["green"] for given in world.sagemaker.named("set_weights")]


# Promote.


def test_promoting_in_a_step_that_asks_for_approval_gives_it(world: Any) -> None:
    asking(world)
    world.approve()
    world.until_phase(Phase.APPROVE)
    assert world.command("promote")["numbers"]["accepted"]
    world.until(lambda state: state.rollout.step == 1)
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_promoting_a_shadow_ends_its_watch_but_approves_no_step(world: Any) -> None:
    asking(world)
    world.settings.policy = replace(world.settings.policy, strategy="shadow", then="canary", shadow=Shadow(600))
    world.approve()
    world.until(lambda state: state.rollout is not None and state.rollout.verified_since is not None)
    rollout = world.store.state.rollout
    assert rollout.phase is Phase.SHADOW
    world.command("promote")
    assert world.store.state.rollout.cleared == ()
    state = world.until_phase(Phase.APPROVE)
    assert state.rollout.phase_since - rollout.started_at < 400


def test_promoting_what_is_paused_says_that_it_must_be_resumed(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("pause", "c1")
    assert "It is paused and goes on once it is resumed" in world.command("promote", "c2")["text"]
    world.pass_time(60)
    assert world.store.state.rollout.step == 0
    world.command("resume", "c3")
    world.until_over()


def test_promoting_what_is_frozen_says_that_it_must_be_unfrozen(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("freeze", "c1")
    assert "frozen by ops: it goes on once that is over" in world.command("promote", "c2")["text"]
    world.command("unfreeze", "c3")
    world.until_over()


# Promote full.


@pytest.mark.parametrize(
    ("phase", "shares"),
    [(Phase.PREPARE, [100]), (Phase.BAKE, [10, 100]), (Phase.SOAK, [10, 50, 100])],
)
def test_promoting_in_full_skips_the_steps_that_are_left(world: Any, phase: Phase, shares: list[float]) -> None:
    world.approve()
    world.until_phase(phase)
    assert world.command("promote", full=True)["numbers"]["accepted"]
    soaking = world.until_phase(Phase.SOAK).rollout
    finishing = world.until_phase(Phase.FINALIZE).rollout
    assert finishing.phase_since - soaking.verified_since >= 20
    world.until_over()
    assert weights(world) == shares


def test_promoting_in_full_ends_the_present_watch(world: Any) -> None:
    world.settings.policy = replace(world.settings.policy, steps=(Step(10, 900), Step(50, 900), Step(100)))
    world.approve()
    begun = world.until_phase(Phase.BAKE).rollout
    world.command("promote", full=True)
    soaking = world.until_phase(Phase.SOAK).rollout
    assert soaking.phase_since - begun.phase_since < 120
    world.until_over()


def test_promoting_in_full_while_a_weight_is_being_set_finishes_that_step_first(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.SHIFT)
    world.command("promote", full=True)
    world.until_over()
    assert weights(world) in ([10, 100], [100])
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_promoting_a_shadow_in_full_goes_straight_to_all_the_traffic(world: Any) -> None:
    world.settings.policy = replace(world.settings.policy, strategy="shadow", then="canary", shadow=Shadow(600))
    world.approve()
    world.until(lambda state: state.rollout is not None and state.rollout.verified_since is not None)
    world.command("promote", full=True)
    world.until_over()
    assert weights(world) == [100]
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_promoting_in_full_passes_a_step_that_waits_for_approval(world: Any) -> None:
    asking(world)
    world.approve()
    world.until_phase(Phase.APPROVE)
    world.command("promote", full=True)
    world.until_over()
    assert weights(world) == [10, 100]


def test_alarm_rolls_back_what_was_promoted_in_full(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("promote", full=True)
    world.until_phase(Phase.SOAK)
    world.fail("green")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_promoting_in_full_what_has_all_the_traffic_does_not_end_its_soak(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.SOAK)
    said = world.command("promote", full=True)
    assert said["numbers"]["accepted"]
    assert "nothing changes" in said["text"]
    assert not world.store.state.rollout.bake_skipped
    world.until_over()


def failed(world: Any) -> Rollout:
    """Abort a rollout at its second step, and return it."""
    world.approve()
    state: State = world.until(lambda state: state.rollout is not None and state.rollout.step == 1)
    world.command("abort", "c0")
    world.until_over()
    assert state.rollout is not None
    return state.rollout


def test_promoting_in_full_after_an_abort_rolls_the_version_out_again_without_its_steps(world: Any) -> None:
    failed(world)
    assert world.command("promote", full=True)["numbers"]["accepted"]
    world.until_over()
    assert weights(world)[-1:] == [100]
    assert "straight, because ops asked to promote it in full" in world.store.texts("start")[-1]
    assert world.outcomes == [("1.1.0", "ROLLED_BACK"), ("1.1.0", "PROMOTED")]


def test_promoting_without_full_after_an_abort_is_refused_with_retry(world: Any) -> None:
    failed(world)
    said = world.command("promote")
    assert not said["numbers"]["accepted"]
    assert "to have 1.1.0 again, send retry" in said["text"]


# Approve.


def test_approval_lets_a_step_go_on(world: Any) -> None:
    asking(world)
    world.approve()
    world.until_phase(Phase.APPROVE)
    said = world.command("approve")
    assert said["numbers"]["accepted"]
    assert "ops approved the step at 10 %" in said["text"]
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_approval_given_while_the_step_is_watched_counts_at_its_end(world: Any) -> None:
    asking(world)
    world.approve()
    begun = world.until_phase(Phase.BAKE).rollout
    world.command("approve")
    state = world.until(lambda state: state.rollout.step == 1)
    assert state.rollout.phase_since - begun.verified_since >= 20
    assert world.store.texts("approval") == []
    world.until_over()


def test_approval_of_a_step_that_asks_for_none_is_refused(world: Any) -> None:
    asking(world)
    world.approve()
    world.until_phase(Phase.APPROVE)
    world.command("approve", "c1")
    world.until(lambda state: state.rollout.step == 1)
    said = world.command("approve", "c2")
    assert not said["numbers"]["accepted"]
    assert "the step at 50 % asks for no approval; promote" in said["text"]
    world.until_over()


def test_approval_before_the_step_has_begun_is_refused(world: Any) -> None:
    asking(world)
    world.approve()
    world.until_phase(Phase.PREPARE)
    said = world.command("approve")
    assert not said["numbers"]["accepted"]
    assert "in PREPARE, and the step at 10 % has not begun; ask again in BAKE" in said["text"]
    assert world.until_phase(Phase.APPROVE)


def test_second_approval_of_a_step_is_refused(world: Any) -> None:
    asking(world)
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("approve", "c1")
    said = world.command("approve", "c2")
    assert not said["numbers"]["accepted"]
    assert "approved already" in said["text"]
    world.until_over()


def test_alarm_rolls_back_a_step_that_was_approved_beforehand(world: Any) -> None:
    asking(world)
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("approve")
    world.fail("green")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


# Retry.


def test_retry_of_an_aborted_version_starts_at_its_first_step(world: Any) -> None:
    assert failed(world).step == 1
    assert world.command("retry")["numbers"]["accepted"]
    state = world.until_phase(Phase.BAKE)
    assert (state.rollout.version, state.rollout.step) == ("1.1.0", 0)
    world.until_over()
    assert weights(world)[-3:] == [10, 50, 100]


def test_retry_has_one_effect_however_often_it_comes(world: Any) -> None:
    failed(world)
    world.command("retry", "c1")
    world.until_over()
    world.command("retry", "c1")
    world.pass_time(120)
    assert [outcome for _, outcome in world.outcomes] == ["ROLLED_BACK", "PROMOTED"]


def test_retry_during_a_rollout_is_refused(world: Any) -> None:
    failed(world)
    world.approve("1.2.0")
    world.until_phase(Phase.BAKE)
    said = world.command("retry")
    assert not said["numbers"]["accepted"]
    assert "the rollout of 1.2.0 is in BAKE" in said["text"]
    world.until_over()


def test_retry_of_a_version_that_is_no_longer_approved_rolls_nothing_out(world: Any) -> None:
    failed(world)
    world.clock.time += 2
    [arn] = world.sagemaker.packages
    world.decide(arn, "Rejected")
    world.command("retry")
    world.pass_time(60)
    assert len(world.outcomes) == 1
    assert "Rejected and no longer Approved" in world.store.texts("dropped")[0]
    assert not world.command("retry", "c2")["numbers"]["accepted"]


def test_retry_while_another_version_waits_is_refused(world: Any) -> None:
    failed(world)
    world.command("freeze", "c1")
    world.approve("1.2.0")
    said = world.command("retry", "c2")
    assert not said["numbers"]["accepted"]
    assert "1.2.0 waits to be rolled out" in said["text"]


def test_retry_after_another_version_went_live_is_refused(world: Any) -> None:
    failed(world)
    world.approve("1.2.0")
    world.until_over()
    said = world.command("retry")
    assert not said["numbers"]["accepted"]
    assert "nothing has failed since 1.2.0 went live" in said["text"]
