"""How an endpoint of jobs scales, from none to as many instances as it may have and back.

As AWS describes it for asynchronous endpoints: a target of the backlog for each instance, which knows no first
instance, and a step for that one, https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html. All
of it is made here and not by the template, because the endpoint that it names is.

Needs application-autoscaling:RegisterScalableTarget, DeregisterScalableTarget and PutScalingPolicy, with
sagemaker:UpdateEndpointWeightsAndCapacities on the endpoint; cloudwatch:PutMetricAlarm and DeleteAlarms on the alarm
and on those that Application Auto Scaling makes for its policy, and DescribeAlarms; the right to have its
service-linked role made.
"""

from contextlib import suppress
from typing import Any

from lambdas import contract
from lambdas.inference.following.wanted import Plan
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import MissingError

_NAMESPACE = "AWS/SageMaker"
_PER_INSTANCE, _WITHOUT = "ApproximateBacklogSizePerInstance", "HasBacklogWithoutCapacity"
_TRACKING, _FIRST = "tidegate-backlog-per-instance", "tidegate-first-instance"
_OUT_SECONDS = 60
_FIRST_SECONDS = 300
"""For so long no second instance is started where the first has not come up yet."""

_PERIOD_SECONDS = 60


class ApplicationAutoscaling:
    """Implements `lambdas.inference.following.ports.Scaling`."""

    def __init__(self, scaling: Lazy | None = None, cloudwatch: Lazy | None = None) -> None:
        self._scaling = scaling or Lazy("application-autoscaling")
        self._cloudwatch = cloudwatch or Lazy("cloudwatch")

    def keep(self, plan: Plan) -> None:
        """Have the endpoint scale between none and its most instances."""
        with translated():
            self._scaling().register_scalable_target(
                **_target(plan), MinCapacity=0, MaxCapacity=plan.asynchronous.most_instances
            )
            self._scaling().put_scaling_policy(**tracking(plan))
            policy = self._scaling().put_scaling_policy(**first_step(plan))["PolicyARN"]
            self._cloudwatch().put_metric_alarm(**alarm(plan, policy))

    def release(self, plan: Plan) -> None:
        """Take all that away again; the policies go with their target."""
        with suppress(MissingError), translated():
            self._scaling().deregister_scalable_target(**_target(plan))
        with suppress(MissingError), translated():
            self._cloudwatch().delete_alarms(AlarmNames=[contract.jobs_backlog_alarm(plan.endpoint)])


def tracking(plan: Plan) -> dict[str, Any]:
    """Return the policy that keeps the backlog of each instance at what it works on at once."""
    metric = {"MetricName": _PER_INSTANCE, "Namespace": _NAMESPACE, "Dimensions": _of(plan), "Statistic": "Average"}
    return {
        **_target(plan),
        "PolicyName": _TRACKING,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": float(plan.asynchronous.concurrent),
            "CustomizedMetricSpecification": metric,
            "ScaleInCooldown": plan.asynchronous.idle_minutes * 60,
            "ScaleOutCooldown": _OUT_SECONDS,
        },
    }


def first_step(plan: Plan) -> dict[str, Any]:
    """Return the policy that starts the first instance."""
    return {
        **_target(plan),
        "PolicyName": _FIRST,
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": _FIRST_SECONDS,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
        },
    }


def alarm(plan: Plan, policy: str) -> dict[str, Any]:
    """Return the alarm that a job waits and no instance is there."""
    return {
        "AlarmName": contract.jobs_backlog_alarm(plan.endpoint),
        "AlarmDescription": f"Jobs of {plan.endpoint} wait, and {plan.name} has no instance: the first is started",
        "Namespace": _NAMESPACE,
        "MetricName": _WITHOUT,
        "Dimensions": _of(plan),
        "Statistic": "Maximum",
        "Period": _PERIOD_SECONDS,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [policy],
    }


def _of(plan: Plan) -> list[dict[str, str]]:
    return [{"Name": "EndpointName", "Value": plan.name}]


def _target(plan: Plan) -> dict[str, str]:
    return {
        "ServiceNamespace": contract.SCALABLE_NAMESPACE,
        "ResourceId": contract.scalable_target(plan.name, contract.JOBS_VARIANT),
        "ScalableDimension": contract.SCALABLE_DIMENSION,
    }
