from typing import Any

import pytest

from localcloud.errors import AwsError, NotSimulatedError

BLUE = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/rain/variant/blue",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


def _register(world: Any, **more: Any) -> None:
    world.call("RegisterScalableTarget", **BLUE, **more)


def _track(world: Any, target: float) -> None:
    world.call(
        "PutScalingPolicy",
        **BLUE,
        PolicyName="follow",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": target,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        },
    )


def _traffic(world: Any, minutes: int, a_minute: int) -> None:
    dimensions = {"EndpointName": "rain", "VariantName": "blue"}
    for _ in range(minutes):
        world.metrics.put("AWS/SageMaker", "Invocations", dimensions, 1.0, "None", count=a_minute)
        world.clock.advance(60)


def test_registering_again_changes_only_what_is_given(world: Any) -> None:
    world.live()
    _register(world, MinCapacity=1, MaxCapacity=4)
    _register(world, SuspendedState={"DynamicScalingInSuspended": True})
    (target,) = world.call("DescribeScalableTargets", ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    assert target["SuspendedState"]["DynamicScalingInSuspended"]
    assert not target["SuspendedState"]["DynamicScalingOutSuspended"]


def test_a_minimum_above_the_count_raises_it_unless_suspended(world: Any) -> None:
    world.live()
    suspended = {"DynamicScalingOutSuspended": True}
    _register(world, MinCapacity=2, MaxCapacity=4, SuspendedState=suspended)
    world.clock.advance(5)
    assert world.variant("blue")["DesiredInstanceCount"] == 1
    _register(world, SuspendedState={"DynamicScalingOutSuspended": False})
    world.clock.advance(5)
    assert world.variant("blue")["CurrentInstanceCount"] == 2


def test_a_minimum_set_while_the_endpoint_updates_is_reached_afterwards(world: Any, make_variant: Any) -> None:
    world.live()
    world.config("second", make_variant("blue"))
    world.call("UpdateEndpoint", EndpointName="rain", EndpointConfigName="second")
    _register(world, MinCapacity=2, MaxCapacity=4)
    world.clock.advance(3)
    assert world.variant("blue")["DesiredInstanceCount"] == 1
    world.clock.advance(20)
    assert world.variant("blue")["CurrentInstanceCount"] == 2


def test_registered_variants_can_be_neither_removed_nor_moved_to_another_type(world: Any, make_variant: Any) -> None:
    world.live()
    _register(world, MinCapacity=1, MaxCapacity=4)
    world.config("without", make_variant("green"))
    world.config("moved", make_variant("blue", InstanceType="ml.g6.xlarge"))
    world.config("same", make_variant("blue"), make_variant("green"))
    for config in ("without", "moved"):
        with pytest.raises(AwsError, match=r'"\[blue\]" must be deregistered as scalable target'):
            world.call("UpdateEndpoint", EndpointName="rain", EndpointConfigName=config)
    world.call("UpdateEndpoint", EndpointName="rain", EndpointConfigName="same")
    world.clock.advance(10)
    world.call("DeregisterScalableTarget", **BLUE)
    world.call("UpdateEndpoint", EndpointName="rain", EndpointConfigName="without")


def test_load_above_the_target_for_three_minutes_scales_out_and_idleness_scales_in(world: Any) -> None:
    world.live()
    _register(world, MinCapacity=1, MaxCapacity=3)
    _track(world, 100.0)
    _traffic(world, minutes=2, a_minute=250)
    assert world.variant("blue")["DesiredInstanceCount"] == 1
    _traffic(world, minutes=2, a_minute=250)
    assert world.variant("blue")["CurrentInstanceCount"] == 3
    _traffic(world, minutes=17, a_minute=30)
    assert world.variant("blue")["CurrentInstanceCount"] == 1


def test_suspended_scaling_does_nothing(world: Any) -> None:
    world.live()
    _register(world, MinCapacity=1, MaxCapacity=3, SuspendedState={"DynamicScalingOutSuspended": True})
    _track(world, 100.0)
    _traffic(world, minutes=5, a_minute=250)
    assert world.variant("blue")["DesiredInstanceCount"] == 1


def test_deleting_the_endpoint_deregisters_its_targets(world: Any) -> None:
    world.live()
    _register(world, MinCapacity=1, MaxCapacity=3)
    world.call("DeleteEndpoint", EndpointName="rain")
    assert world.call("DescribeScalableTargets", ServiceNamespace="sagemaker")["ScalableTargets"] == []


def test_what_is_missing_or_contradictory_is_refused(world: Any) -> None:
    world.live()
    with pytest.raises(AwsError, match="No scalable target registered"):
        world.call("DeregisterScalableTarget", **BLUE)
    with pytest.raises(AwsError, match="cannot be less than minimum"):
        _register(world, MinCapacity=3, MaxCapacity=2)
    with pytest.raises(AwsError, match="No endpoint variant found"):
        world.call("RegisterScalableTarget", **{**BLUE, "ResourceId": "endpoint/rain/variant/red"})
    _register(world, MinCapacity=1, MaxCapacity=2)
    with pytest.raises(NotSimulatedError, match="PredictiveScaling"):
        world.call("PutScalingPolicy", **BLUE, PolicyName="ahead", PolicyType="PredictiveScaling")
