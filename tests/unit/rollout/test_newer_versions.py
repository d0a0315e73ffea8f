"""What an approval does to a rollout that is under way."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.fleet import Fleet
from lambdas.rollout.state import Phase


@pytest.fixture
def restarting(world: Any) -> Any:
    """Return a world whose policy has a newer version end the rollout of an older one."""
    world.settings.policy = replace(world.settings.policy, newer_version="restart")
    return world


def test_newer_version_ends_the_rollout_of_an_older_one_and_starts_from_weight_0(restarting: Any) -> None:
    restarting.approve("1.1.0")
    restarting.until(lambda state: state.rollout is not None and state.rollout.step == 1)
    restarting.approve("1.2.0")
    state = restarting.until(lambda state: state.rollout is not None and state.rollout.version == "1.2.0")
    assert (state.rollout.step, state.rollout.phase) == (0, Phase.PREPARE)
    assert "superseded by 1.2.0" in restarting.store.texts("abort")[0]
    restarting.until_over()
    assert restarting.outcomes == [("1.1.0", "ROLLED_BACK"), ("1.2.0", "PROMOTED")]
    assert "the rollout of 1.1.0 is taken back for it" in restarting.store.texts("approved")[1]


def test_doubled_approval_of_a_newer_version_ends_one_rollout_once(restarting: Any) -> None:
    restarting.approve("1.1.0")
    restarting.until_phase(Phase.BAKE)
    arn = restarting.register("1.2.0")
    said = restarting.decide(arn, "Approved")
    restarting.hear(arn, said)
    restarting.until_over()
    restarting.hear(arn, said)
    restarting.pass_time(300)
    assert restarting.outcomes == [("1.1.0", "ROLLED_BACK"), ("1.2.0", "PROMOTED")]
    assert len(restarting.store.texts("abort")) == 1


def test_two_newer_versions_at_once_end_the_rollout_once_and_the_newest_starts(restarting: Any) -> None:
    restarting.approve("1.1.0")
    restarting.until_phase(Phase.BAKE)
    restarting.approve("1.2.0")
    restarting.clock.time += 1
    restarting.approve("1.3.0")
    state = restarting.until_over()
    assert restarting.outcomes == [("1.1.0", "ROLLED_BACK"), ("1.3.0", "PROMOTED")]
    assert state.past[-1].version == "bootstrap"
    assert len(restarting.store.texts("command")) == 1


def test_newer_version_waits_for_a_rollout_that_lets_go_of_the_old_version(restarting: Any) -> None:
    restarting.approve("1.1.0")
    restarting.until_phase(Phase.FINALIZE)
    restarting.approve("1.2.0")
    restarting.until_over()
    assert restarting.outcomes == [("1.1.0", "PROMOTED"), ("1.2.0", "PROMOTED")]
    assert restarting.store.texts("command") == []


def test_newer_version_waits_for_a_change_of_the_fleet(restarting: Any, fleet: Fleet) -> None:
    restarting.declare(replace(fleet, instance_type="ml.g6.xlarge"))
    restarting.until_phase(Phase.BAKE)
    restarting.approve("1.1.0")
    restarting.until_over()
    assert restarting.outcomes == [("bootstrap", "PROMOTED"), ("1.1.0", "PROMOTED")]


def test_same_version_approved_anew_ends_its_rollout_for_the_withdrawal_only(restarting: Any) -> None:
    arn = restarting.approve("1.1.0")
    restarting.until_phase(Phase.BAKE)
    restarting.clock.time += 2
    restarting.decide(arn, "Rejected")
    restarting.clock.time += 2
    restarting.decide(arn, "Approved")
    restarting.until_over()
    assert restarting.outcomes == [("1.1.0", "ROLLED_BACK"), ("1.1.0", "PROMOTED")]
    assert len(restarting.store.texts("command")) == 1


def anew(world: Any, arn: str) -> None:
    """Reject and approve a package."""
    world.decide(arn, "Rejected")
    world.clock.time += 2
    world.decide(arn, "Approved")


def under_way(world: Any) -> str:
    """Have 1.2.0 rolled out in place of 1.1.0, and return the ARN of the latter."""
    stable: str = world.approve("1.1.0")
    world.until_over()
    world.clock.time += 2
    world.approve("1.2.0")
    world.until_phase(Phase.BAKE)
    world.clock.time += 2
    return stable


def test_stable_version_approved_anew_ends_the_rollout_at_once(world: Any) -> None:
    stable = under_way(world)
    anew(world, stable)
    world.until_over()
    assert world.outcomes[1:] == [("1.2.0", "ROLLED_BACK")]
    assert world.store.state.live.version == "1.1.0"
    assert world.store.approvals[stable].outcome == "already live"
    assert "1.1.0, which is live, was approved anew" in world.store.texts("abort")[0]
    assert "The rollout of 1.2.0 is taken back" in world.store.texts("approved")[-1]
    world.pass_time(300)
    assert len(world.outcomes) == 2


def test_stable_version_approved_anew_comes_before_what_was_approved_earlier_and_waits(world: Any) -> None:
    stable = under_way(world)
    world.approve("1.3.0")
    world.clock.time += 2
    anew(world, stable)
    world.until_over()
    world.pass_time(300)
    assert world.outcomes[1:] == [("1.2.0", "ROLLED_BACK")]
    assert "1.3.0, which waited, is not rolled out" in world.store.texts("approved")[-1]


def test_late_word_of_the_stable_versions_approval_does_not_end_the_rollout_of_a_newer_one(world: Any) -> None:
    stable = world.approve("1.1.0")
    world.until_over()
    world.decide(stable, "Rejected")
    world.clock.time += 2
    late = world.decide(stable, "Approved", tell=False)
    world.clock.time += 5
    world.approve("1.2.0")
    world.until_phase(Phase.BAKE)
    world.hear(stable, late)
    world.until_over()
    assert world.outcomes[1:] == [("1.2.0", "PROMOTED")]


def test_stable_version_approved_anew_leaves_a_change_of_the_fleet_alone(world: Any, fleet: Fleet) -> None:
    stable = world.approve("1.1.0")
    world.until_over()
    world.declare(replace(fleet, instance_type="ml.g6.xlarge"))
    world.until_phase(Phase.BAKE)
    anew(world, stable)
    world.until_over()
    assert world.outcomes[1:] == [("1.1.0", "PROMOTED")]


def test_old_version_approved_anew_while_it_is_let_go_of_is_rolled_out_again(world: Any) -> None:
    stable = under_way(world)
    world.until_phase(Phase.FINALIZE)
    anew(world, stable)
    world.until_over()
    assert world.outcomes[1:] == [("1.2.0", "PROMOTED"), ("1.1.0", "PROMOTED")]
