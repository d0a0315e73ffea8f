"""A number of instances that AWS does not give is tried again, without autoscaling being off meanwhile."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.errors import EndpointBusyError, PermanentError, RetryableError
from lambdas.rollout.fleet import Fleet, Scaling


@pytest.fixture
def short(world: Any, fleet: Fleet) -> Any:
    """Return the world after more instances were declared than the account's quota allows."""
    world.pass_time(60)
    quota = PermanentError("ResourceLimitExceeded: the account-level limit for ml.g5.xlarge is 1")
    world.sagemaker.refusals = {"set_capacity": [quota] * 1000}
    world.tried = []
    set_capacity = world.sagemaker.set_capacity

    def noted(name: str, slot: str, count: int) -> None:
        world.tried.append(world.clock.now())
        set_capacity(name, slot, count)

    world.sagemaker.set_capacity = noted
    world.declare(replace(fleet, min_instances=2, max_instances=8))
    return world


def test_autoscaling_stays_on_with_the_declared_bounds(short: Any) -> None:
    short.pass_time(3600)
    assert short.sagemaker.scaled == {"blue"}
    assert short.sagemaker.named("keep_scaling")[-1] == ("blue", Scaling(2, 8, 600.0))


def test_it_is_said_once_and_tried_ever_less_often(short: Any) -> None:
    short.pass_time(6 * 3600)
    assert len(short.store.texts("shortfall")) == 1
    assert "ResourceLimitExceeded" in short.store.texts("shortfall")[0]
    assert short.notifier.subjects == ["rain-local: 1 instead of 2 instances"]
    gaps = [later - earlier for earlier, later in zip(short.tried, short.tried[1:], strict=False)]
    assert 6 <= len(short.tried) <= 14
    assert gaps == sorted(gaps)


def test_count_is_set_once_the_quota_allows_it(short: Any) -> None:
    short.pass_time(3600)
    short.sagemaker.refusals.clear()
    short.pass_time(3700)
    assert short.endpoint.variants["blue"].count == 2
    assert short.sagemaker.scaled == {"blue"}
    assert short.store.state.shortfall is None


def test_count_declared_anew_is_tried_at_once(short: Any, fleet: Fleet) -> None:
    short.pass_time(3600)
    before = len(short.tried)
    short.declare(replace(fleet, min_instances=3))
    short.pass_time(5)
    assert len(short.tried) == before + 1


def test_count_that_aws_takes_back_does_not_keep_the_endpoint_updating(world: Any, fleet: Fleet) -> None:
    world.pass_time(60)

    def taken_back(name: str, slot: str, count: int) -> None:
        world.sagemaker._mutate("set_capacity", (slot, count))

        def back() -> None:
            world.endpoint.failure_reason = "Unable to provision: insufficient capacity"

        world.endpoint.begin(300.0, back)

    world.sagemaker.set_capacity = taken_back
    world.declare(replace(fleet, min_instances=2))
    world.pass_time(6 * 3600)
    assert len(world.sagemaker.named("set_capacity")) <= 14
    assert len(world.store.texts("shortfall")) == 1
    assert "insufficient capacity" in world.store.texts("shortfall")[0]
    assert world.sagemaker.scaled == {"blue"}


def test_rollout_starts_though_instances_are_short(short: Any) -> None:
    short.pass_time(600)
    short.approve()
    short.until_over()
    assert short.outcomes == [("1.1.0", "PROMOTED")]


def test_refusal_for_now_is_no_shortfall(world: Any, fleet: Fleet) -> None:
    world.pass_time(60)
    world.sagemaker.refusals = {"set_capacity": [RetryableError("ThrottlingException"), EndpointBusyError("busy")]}
    world.declare(replace(fleet, min_instances=2))
    world.pass_time(300)
    assert world.endpoint.variants["blue"].count == 2
    assert world.notifier.subjects == []
    assert world.store.state.shortfall is None
    assert world.sagemaker.scaled == {"blue"}
