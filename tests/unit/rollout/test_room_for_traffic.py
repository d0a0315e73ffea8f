"""A rollout has instances for all the traffic before any of it moves."""

from dataclasses import replace
from typing import Any

from lambdas.rollout.errors import PermanentError
from lambdas.rollout.policy import Step
from lambdas.rollout.state import Phase

SHORT = "InsufficientCapacity: no ml.g5.xlarge is to be had"


def test_live_version_is_raised_to_its_peak_and_the_new_one_gets_as_much(world: Any) -> None:
    world.settings.policy = replace(world.settings.policy, peak_instances=3)
    world.approve()
    world.until_phase(Phase.BAKE)
    assert {slot: variant.count for slot, variant in world.endpoint.variants.items()} == {"blue": 3, "green": 3}
    kinds = [kind for kind, _ in world.sagemaker.calls]
    assert kinds.index("release_scaling") < kinds.index("set_capacity") < kinds.index("update")


def test_peak_is_the_most_instances_declared_unless_said_otherwise(world: Any) -> None:
    world.settings.policy = replace(world.settings.policy, peak_instances=None)
    world.approve()
    world.until_phase(Phase.BAKE)
    assert world.endpoint.variants["blue"].count == 4
    assert world.endpoint.variants["green"].count == 4


def test_live_version_keeps_its_peak_until_the_end(world: Any) -> None:
    world.settings.policy = replace(world.settings.policy, peak_instances=3)
    world.approve()
    world.until_phase(Phase.SOAK)
    world.fail("green")
    world.until_over()
    assert world.endpoint.variants["blue"].count == 3
    assert world.sagemaker.scaled == {"blue"}


def test_peak_that_cannot_be_had_ends_the_rollout_with_the_live_version_live(world: Any) -> None:
    world.settings.policy = replace(world.settings.policy, peak_instances=3)
    world.endpoint.failures = [SHORT] * 3
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    [summary] = world.store.summaries.values()
    assert "SetCapacity to 3 instances of blue came back" in summary["reason"]
    assert SHORT in summary["reason"]
    assert world.endpoint.config == world.store.state.seed_config


def test_peak_that_comes_late_is_waited_for(world: Any) -> None:
    world.settings.policy = replace(world.settings.policy, peak_instances=3)
    world.endpoint.failures = [SHORT]
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_quota_refused_at_once_is_named(world: Any) -> None:
    world.settings.policy = replace(world.settings.policy, peak_instances=3)
    world.sagemaker.refusals = {"set_capacity": [PermanentError("ResourceLimitExceeded: the limit is 2")] * 3}
    world.approve()
    world.until_over()
    assert "ResourceLimitExceeded" in world.store.summaries.popitem()[1]["reason"]


def test_share_gets_instances_step_by_step(world: Any, fleet: Any) -> None:
    world.declare(replace(fleet, min_instances=4))
    world.settings.fleet = replace(fleet, min_instances=4)
    world.until(lambda _: world.endpoint.variants["blue"].count == 4)
    steps = (Step(25, 20), Step(60, 20), Step(100))
    world.settings.policy = replace(world.settings.policy, capacity="share", peak_instances=4, steps=steps)
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    counts = [count for slot, count in world.sagemaker.named("set_capacity") if slot == "green"]
    assert world.sagemaker.mixed.popitem()[1].count == 1
    assert counts == [3, 4]
