"""Asynchronous endpoints scaled to no instances and back, by SageMaker's own recipe; and step scaling by itself."""

import json

import pytest

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.settings import PhysicsSettings
from tests.localcloud.async_world import BLUE, AsyncWorld


@pytest.fixture
def world():
    return AsyncWorld()


def _minutes(world, count):
    world.clock.advance(60 * count)


def _set_alarm(world, value=None):
    """Put the alarm into ALARM with one data point, or none."""
    data = "" if value is None else json.dumps({"recentDatapoints": [value], "threshold": 1.0})
    more = {"StateReasonData": data} if data else {}
    world.call("SetAlarmState", AlarmName="asleep", StateValue="OK", StateReason="test")
    world.call("SetAlarmState", AlarmName="asleep", StateValue="ALARM", StateReason="test", **more)
    world.clock.advance(5)


def test_an_idle_endpoint_goes_to_no_instances_and_stays_in_service(world):
    world.register()
    world.track(5.0)
    _minutes(world, 14)
    assert world.instances() == (1, 1)
    _minutes(world, 2)
    assert world.instances() == (0, 0)
    assert world.call("DescribeEndpoint", EndpointName="rain")["EndpointStatus"] == "InService"
    assert world.containers.running() == []


def test_the_minimum_keeps_an_instance(world):
    world.register(minimum=1)
    world.track(5.0)
    _minutes(world, 30)
    assert world.instances() == (1, 1)


def test_a_real_time_endpoint_keeps_an_instance_whatever_its_minimum():
    world = AsyncWorld(asynchronous=False)
    world.register(minimum=0)
    world.scale(2)
    step = {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 0}
    world.alarm(world.steps(step, AdjustmentType="ExactCapacity"))
    for _ in range(2):
        _set_alarm(world, 1.0)
        assert world.instances() == (1, 1)
        world.clock.advance(300)


def test_one_request_wakes_it_by_the_alarm_and_is_answered(world):
    world.register()
    world.track(5.0)
    world.alarm(world.steps())
    world.scale(0)
    asked = world.ask()
    _minutes(world, 1)
    assert world.instances() == (0, 0)
    _minutes(world, 1.2)
    assert world.instances() == (1, 1)
    assert world.answer(asked) == b"hello"


def test_the_recipe_goes_round(world):
    world.register()
    world.track(5.0)
    world.alarm(world.steps())
    for _ in range(2):
        _minutes(world, 25)
        assert world.instances() == (0, 0)
        asked = world.ask()
        _minutes(world, 4)
        assert (world.instances(), world.answer(asked)) == ((1, 1), b"hello")


def test_without_the_alarm_only_more_than_the_target_wakes_it(world):
    world.register()
    world.track(2.0)
    world.scale(0)
    asked = [world.ask(), world.ask()]
    _minutes(world, 10)
    assert world.instances() == (0, 0)
    asked.append(world.ask())
    _minutes(world, 4)
    assert all(world.answer(each) == b"hello" for each in asked)


def test_a_long_queue_brings_as_many_instances_as_the_target_wants(world):
    world.register(maximum=4)
    world.track(2.0)
    for container in world.containers.running():
        container.healthy = False
    for _ in range(6):
        world.ask()
    _minutes(world, 3.5)
    assert world.instances()[1] == 3


def test_a_long_queue_wakes_as_many_as_it_needs(world):
    world.register(maximum=4)
    world.track(2.0)
    world.scale(0)
    for _ in range(6):
        world.ask()
    _minutes(world, 4)
    assert world.instances() == (3, 3)


def test_an_alarm_acts_every_minute_for_as_long_as_it_lasts(world):
    world.register()
    world.alarm(world.steps())
    world.scale(0)
    world.register(SuspendedState={"DynamicScalingOutSuspended": True})
    asked = world.ask()
    _minutes(world, 5)
    assert world.instances() == (0, 0)
    world.register(SuspendedState={"DynamicScalingOutSuspended": False})
    _minutes(world, 1.2)
    assert world.answer(asked) == b"hello"


def test_a_policy_waits_for_its_cooldown(world):
    world.register()
    world.alarm(world.steps(Cooldown=100))
    _set_alarm(world, 1.0)
    assert world.instances() == (2, 2)
    _set_alarm(world, 1.0)
    assert world.instances() == (2, 2)
    world.clock.advance(100)
    _set_alarm(world, 1.0)
    assert world.instances() == (3, 3)
    world.clock.advance(100)
    _set_alarm(world, 1.0)  # no more than the maximum
    assert world.instances() == (3, 3)


def test_scaling_in_does_not_keep_from_scaling_out(world):
    world.register()
    wake = world.steps()
    sleep = world.steps({"MetricIntervalLowerBound": 0, "ScalingAdjustment": -2}, name="sleep", Cooldown=0)
    for policy, instances in ((wake, 2), (sleep, 0), (wake, 1), (sleep, 0), (wake, 1)):
        world.alarm(policy)
        _set_alarm(world, 1.0)
        assert world.instances() == (instances, instances)


STEPS = (
    {"MetricIntervalUpperBound": -2, "ScalingAdjustment": 0},
    {"MetricIntervalLowerBound": -2, "MetricIntervalUpperBound": 0, "ScalingAdjustment": 1},
    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 2},
    {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 3},
)


@pytest.mark.parametrize(
    ("value", "wanted"), [(-9.0, 0), (-1.0, 0), (-0.5, 1), (0.9, 1), (1.0, 2), (10.9, 2), (11.0, 3), (None, 2)]
)
def test_the_breach_chooses_the_step(world, value, wanted):
    world.register()
    world.alarm(world.steps(*STEPS, AdjustmentType="ExactCapacity"))
    _set_alarm(world, value)
    assert world.instances() == (wanted, wanted)


@pytest.mark.parametrize(
    ("percent", "least", "before", "wanted"),
    [(50, None, 5, 7), (10, None, 5, 6), (10, 2, 5, 7), (-50, None, 5, 3), (-10, None, 5, 4), (100, None, 0, 0)],
)
def test_per_cent_are_rounded_to_at_least_one(world, percent, least, before, wanted):
    world.register(maximum=9)
    world.scale(before)
    more = {"MinAdjustmentMagnitude": least} if least else {}
    step = {"MetricIntervalLowerBound": 0, "ScalingAdjustment": percent}
    world.alarm(world.steps(step, AdjustmentType="PercentChangeInCapacity", **more))
    _set_alarm(world, 1.0)
    assert world.instances()[1] == wanted


def test_policies_are_described_and_go(world):
    world.register()
    arn = world.steps()
    (policy,) = world.call("DescribeScalingPolicies", ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert (policy["PolicyARN"], policy["PolicyType"]) == (arn, "StepScaling")
    assert world.steps(Cooldown=1) == arn
    world.alarm(arn)
    world.call("DeleteScalingPolicy", **BLUE, PolicyName="wake")
    _set_alarm(world, 1.0)
    assert world.instances() == (1, 1)


def test_policies_that_contradict_themselves_are_refused(world):
    world.register()
    lower = {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 5, "ScalingAdjustment": 1}
    with pytest.raises(AwsError, match="neither overlap nor leave gaps"):
        world.steps(lower, {"MetricIntervalLowerBound": 6, "ScalingAdjustment": 2})
    with pytest.raises(AwsError, match="lower bound 0 must be less"):
        world.steps({"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 0, "ScalingAdjustment": 1})
    with pytest.raises(AwsError, match="needs AdjustmentType and StepAdjustments"):
        world.steps(AdjustmentType="")
    with pytest.raises(AwsError, match="needs Namespace"):
        _custom(world, {"MetricName": "m", "Statistic": "Average"})
    with pytest.raises(NotSimulatedError, match="metric math"):
        _custom(world, {"Metrics": [{"Id": "m"}]})
    with pytest.raises(NotSimulatedError, match="PredictiveScaling"):
        world.call("PutScalingPolicy", **BLUE, PolicyName="ahead", PolicyType="PredictiveScaling")


def _custom(world, specification):
    tracking = {"TargetValue": 1.0, "CustomizedMetricSpecification": specification}
    world.call(
        "PutScalingPolicy",
        **BLUE,
        PolicyName="custom",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )


def test_a_shorter_period_scales_in_sooner():
    world = AsyncWorld(PhysicsSettings(scaling_period_seconds=2.0))
    world.register()
    world.track(5.0, ScaleInCooldown=1)
    world.clock.advance(40)
    assert world.instances() == (0, 0)
