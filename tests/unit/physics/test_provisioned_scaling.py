"""Scaling of provisioned concurrency: by utilisation, and by the clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from localcloud.clock import VirtualClock
from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.autoscaling import AutoScalingService
from localcloud.physics.scalable import PROVISIONED
from localcloud.services.scheduled_scaling import ScheduledScaling

# Saturday, before the clocks go forward in Berlin.
START = datetime(2025, 3, 29, 0, 0, tzinfo=UTC).timestamp()
LIVE = {
    "ServiceNamespace": "lambda",
    "ResourceId": "function:predict:live",
    "ScalableDimension": "lambda:function:ProvisionedConcurrency",
}


@dataclass
class Fleet:
    """One alias."""

    count: int = 1
    utilisation: float | None = None
    changes: list[int] = field(default_factory=list)

    def capacity(self, owner: str, part: str) -> int | None:
        return self.count if (owner, part) == ("predict", "live") else None

    def set_capacity(self, _owner: str, _part: str, count: int) -> None:
        self.count = count
        self.changes.append(count)

    def load(self, _owner: str, _part: str, _minutes_ago: int) -> float | None:
        return self.utilisation


class Scaling:
    """The service over a fleet and a virtual clock."""

    def __init__(self) -> None:
        self.clock, self.fleet = VirtualClock(START), Fleet()
        service = AutoScalingService(self.clock, account="123456789012", region="us-east-1")
        service.attach(self.fleet, PROVISIONED)
        scheduled = ScheduledScaling(service, self.clock, "123456789012", "us-east-1")
        self._handlers: dict[str, Callable[..., Any]] = {**service.operations(), **scheduled.operations()}

    def call(self, operation: str, **request: Any) -> Any:
        return self._handlers[operation](request)

    def register(self, least: int = 1, most: int = 4, **more: Any) -> None:
        self.call("RegisterScalableTarget", **LIVE, MinCapacity=least, MaxCapacity=most, **more)

    def schedule(self, expression: str, **bounds: int) -> None:
        self.call("PutScheduledAction", **LIVE, **_action(expression), ScalableTargetAction=bounds)


def _action(expression: str, **more: Any) -> dict[str, Any]:
    return {"ScheduledActionName": "peak", "Schedule": expression, "Timezone": "Europe/Berlin", **more}


@pytest.fixture
def scaling() -> Scaling:
    return Scaling()


def _track(scaling: Scaling, metric: str = "LambdaProvisionedConcurrencyUtilization") -> None:
    specification = {"PredefinedMetricType": metric}
    tracking = {"TargetValue": 0.5, "PredefinedMetricSpecification": specification, "ScaleInCooldown": 0}
    scaling.call(
        "PutScalingPolicy",
        **LIVE,
        PolicyName="follow",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )


def test_utilisation_above_the_target_scales_out_and_below_it_in(scaling: Scaling) -> None:
    scaling.register()
    _track(scaling)
    scaling.fleet.utilisation = 1.0
    scaling.clock.advance(61)
    assert scaling.fleet.count == 2
    scaling.fleet.utilisation = 0.1
    scaling.clock.advance(3600)
    assert scaling.fleet.count == 1


def test_minutes_without_invocations_change_nothing(scaling: Scaling) -> None:
    scaling.fleet.count = 3
    scaling.register()
    _track(scaling)
    scaling.clock.advance(3600)
    assert scaling.fleet.count == 3


def test_an_action_sets_the_bounds_at_the_hour_of_its_time_zone(scaling: Scaling) -> None:
    """Six o'clock is one hour earlier by UTC after the clocks have gone forward."""
    scaling.register()
    scaling.schedule("cron(0 6 * * ? *)", MinCapacity=2)
    scaling.clock.advance(5 * 3600 - 1)
    assert scaling.fleet.changes == []
    scaling.clock.advance(2)
    assert scaling.fleet.changes == [2]
    scaling.fleet.count = 1
    scaling.clock.advance(23 * 3600 - 5)
    assert scaling.fleet.changes == [2]
    scaling.clock.advance(5)
    assert scaling.fleet.changes == [2, 2]


def test_an_action_brings_the_count_below_its_maximum(scaling: Scaling) -> None:
    scaling.fleet.count = 4
    scaling.register()
    scaling.schedule("rate(10 minutes)", MinCapacity=0, MaxCapacity=0)
    scaling.clock.advance(601)
    assert scaling.fleet.changes == [0]


def test_an_action_at_one_time_is_gone_afterwards(scaling: Scaling) -> None:
    scaling.register()
    scaling.schedule("at(2025-03-29T02:00:00)", MinCapacity=3)
    scaling.clock.advance(3599)
    assert len(scaling.call("DescribeScheduledActions", ServiceNamespace="lambda")["ScheduledActions"]) == 1
    scaling.clock.advance(2)
    assert scaling.fleet.changes == [3]
    assert scaling.call("DescribeScheduledActions", ServiceNamespace="lambda")["ScheduledActions"] == []


def test_an_action_ends_when_it_is_to_end(scaling: Scaling) -> None:
    scaling.register()
    end = datetime.fromtimestamp(START + 1300, UTC)
    action = _action("rate(10 minutes)", EndTime=end, ScalableTargetAction={"MinCapacity": 2})
    scaling.call("PutScheduledAction", **LIVE, **action)
    for _ in range(4):
        scaling.fleet.count = 1
        scaling.clock.advance(600)
    assert scaling.fleet.changes == [2, 2]


def test_a_suspended_a_deleted_or_an_orphaned_action_does_nothing(scaling: Scaling) -> None:
    scaling.register(SuspendedState={"ScheduledScalingSuspended": True})
    scaling.schedule("rate(10 minutes)", MinCapacity=2)
    scaling.clock.advance(601)
    scaling.register(SuspendedState={"ScheduledScalingSuspended": False})
    scaling.call("DeleteScheduledAction", **LIVE, ScheduledActionName="peak")
    scaling.clock.advance(601)
    scaling.schedule("rate(10 minutes)", MinCapacity=2)
    scaling.call("DeregisterScalableTarget", **LIVE)
    scaling.clock.advance(601)
    assert scaling.fleet.changes == []
    assert scaling.call("DescribeScheduledActions", ServiceNamespace="lambda")["ScheduledActions"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Timezone": "Mars/Base"}, "Mars/Base"),
        ({"Schedule": "at(tomorrow)"}, r"at\(yyyy"),
        ({"Schedule": "cron(0 6 * *)"}, "not valid"),
        ({"ScalableTargetAction": {}}, "MinCapacity, MaxCapacity or both"),
        ({"ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 2}}, "cannot be less"),
    ],
)
def test_an_action_that_cannot_be_is_refused(scaling: Scaling, change: dict[str, Any], message: str) -> None:
    scaling.register()
    action = {**_action("rate(10 minutes)", ScalableTargetAction={"MinCapacity": 2}), **change}
    with pytest.raises(AwsError, match=message):
        scaling.call("PutScheduledAction", **LIVE, **action)


def test_what_is_not_there_and_what_is_not_simulated_is_named(scaling: Scaling) -> None:
    with pytest.raises(AwsError, match="No function version or alias found for resource ID: function:other:live"):
        scaling.call(
            "RegisterScalableTarget", **{**LIVE, "ResourceId": "function:other:live"}, MinCapacity=1, MaxCapacity=2
        )
    with pytest.raises(AwsError, match="malformed resource id"):
        scaling.call("RegisterScalableTarget", **{**LIVE, "ResourceId": "function:predict"}, MinCapacity=1)
    with pytest.raises(NotSimulatedError, match="autoscaling of dynamodb"):
        scaling.call("RegisterScalableTarget", **{**LIVE, "ServiceNamespace": "dynamodb"}, MinCapacity=1)
    scaling.register()
    with pytest.raises(NotSimulatedError, match="SageMakerVariantInvocationsPerInstance"):
        _track(scaling, "SageMakerVariantInvocationsPerInstance")
