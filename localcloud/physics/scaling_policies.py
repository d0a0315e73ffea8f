"""Scaling policies: what is accepted of them, and what they make of a metric."""

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.cloudwatch.queries import metric_key
from localcloud.physics.cloudwatch.samples import statistic
from localcloud.physics.cloudwatch.store import MetricStore
from localcloud.physics.scalable import VARIANTS, Kind

TRACKING = "TargetTrackingScaling"
STEPS = "StepScaling"
_ALARM_COOLDOWN_SECONDS = 300.0
_AGGREGATIONS: dict[str, Callable[[list[float]], float]] = {
    "Average": lambda values: math.fsum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
}

Settings = Mapping[str, Any]


def policy_type(policy: Settings) -> str:
    """Return the type of a policy; that of one that names none is StepScaling."""
    return str(policy.get("PolicyType") or STEPS)


def check_policy(kind: Kind, policy: Settings, *, has_metrics: bool) -> None:
    """Refuse a policy that contradicts itself, or that is not simulated."""
    if policy_type(policy) == STEPS:
        _check_steps(policy.get("StepScalingPolicyConfiguration") or {})
    elif policy_type(policy) == TRACKING:
        _check_tracking(kind, policy["TargetTrackingScalingPolicyConfiguration"], has_metrics=has_metrics)
    else:
        raise NotSimulatedError(f"PutScalingPolicy PolicyType {policy_type(policy)}")


def _check_tracking(kind: Kind, tracking: Settings, *, has_metrics: bool) -> None:
    custom = tracking.get("CustomizedMetricSpecification")
    if custom and has_metrics:
        _check_custom(custom)
        return
    metric = (tracking.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
    if metric != kind.metric:
        raise NotSimulatedError(f"target tracking on {metric or 'a customised metric'}")


def _check_custom(custom: Settings) -> None:
    if custom.get("Metrics"):
        raise NotSimulatedError("target tracking on a customised metric of metric math (Metrics)")
    missing = [name for name in ("MetricName", "Namespace", "Statistic") if not custom.get(name)]
    if missing:
        raise _invalid(f"CustomizedMetricSpecification needs {', '.join(missing)}")


def _check_steps(steps: Settings) -> None:
    if not steps.get("AdjustmentType") or not steps.get("StepAdjustments"):
        raise _invalid("StepScalingPolicyConfiguration needs AdjustmentType and StepAdjustments")
    intervals = sorted(_interval(step) for step in steps["StepAdjustments"])
    for lower, upper in intervals:
        if lower >= upper:
            raise _invalid(f"A step adjustment's lower bound {lower:g} must be less than its upper bound {upper:g}")
    for (_, upper), (lower, _) in pairwise(intervals):
        if upper != lower:
            raise _invalid("Step adjustments must neither overlap nor leave gaps between them")


def customised(store: MetricStore, tracking: Settings, start: float, end: float) -> float | None:
    """Return a customised metric of target tracking over a span."""
    custom = tracking["CustomizedMetricSpecification"]
    key = metric_key(custom)
    if custom.get("Unit") not in (None, store.unit(key)):
        return None
    return statistic(store.between(key, start, end), custom["Statistic"])


def step_cooldown(kind: Kind, steps: Settings) -> float:
    """Return the cooldown of a step scaling policy.

    Without one it is 300 s for endpoint variants and 0 for provisioned concurrency (StepScalingPolicyConfiguration
    in the API reference of Application Auto Scaling).
    """
    given = steps.get("Cooldown")
    if given is not None:
        return float(given)
    return _ALARM_COOLDOWN_SECONDS if kind is VARIANTS else 0.0


def stepped(steps: Settings, count: int, alarm: Settings) -> int | None:
    """Return the capacity that a step scaling policy wants; None if no step is for the breach.

    `alarm` is the alarm's StateReasonData: CloudWatch's reference (SetAlarmState) says that scaling policies take from
    it what to do. Without data points the metric counts as being at the threshold.
    """
    adjustment = _adjustment(steps, _breach(steps, alarm))
    if adjustment is None or steps["AdjustmentType"] == "ExactCapacity":
        return adjustment
    if steps["AdjustmentType"] == "ChangeInCapacity":
        return count + adjustment
    return count + _percent(count, adjustment, int(steps.get("MinAdjustmentMagnitude") or 0))


def _breach(steps: Settings, alarm: Settings) -> float:
    values = [float(value) for value in alarm.get("recentDatapoints") or [] if value is not None]
    if not values or alarm.get("threshold") is None:
        return 0.0
    return _AGGREGATIONS[steps.get("MetricAggregationType") or "Average"](values) - float(alarm["threshold"])


def _adjustment(steps: Settings, breach: float) -> int | None:
    for step in steps["StepAdjustments"]:
        lower, upper = _interval(step)
        # The bound that is nearer to the threshold belongs to the step.
        if lower <= breach < upper if breach >= 0 else lower < breach <= upper:
            return int(step["ScalingAdjustment"])
    return None


def _interval(step: Settings) -> tuple[float, float]:
    lower, upper = step.get("MetricIntervalLowerBound"), step.get("MetricIntervalUpperBound")
    return (-math.inf if lower is None else float(lower), math.inf if upper is None else float(upper))


def _percent(count: int, percent: int, least: int) -> int:
    """Return a change in per cent, rounded towards zero but to no less than one, as Application Auto Scaling does."""
    exact = count * percent / 100
    change = max(int(abs(exact)), 1 if exact else 0, least if percent else 0)
    return change if percent > 0 else -change


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
