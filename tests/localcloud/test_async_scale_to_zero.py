"""A deployed asynchronous endpoint of real processes: to no instances by its queue, and back by an alarm."""

import pytest

from localcloud.cloud import LocalCloud
from localcloud.deploy.testing import write_assembly
from localcloud.physics.settings import PhysicsSettings
from tests.localcloud.async_endpoints import AsyncEndpoints

SETTINGS = PhysicsSettings(create_seconds=0.1, capacity_seconds=0.1, ping_seconds=0.05, scaling_period_seconds=1.0)
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@pytest.fixture(scope="module")
def cloud():
    with LocalCloud(settings=SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def endpoints(cloud, workshop, wait_until, tmp_path_factory):
    made = AsyncEndpoints(cloud, workshop, wait_until)
    made.prepare(tmp_path_factory.mktemp("image"))
    return made


def _metric(name):
    return {
        "MetricName": name,
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": "EndpointName", "Value": "sleepy"}],
    }


def _template(model, bucket, topics):
    """Return a template as SageMaker's guide has it: two policies, and the alarm of the second."""
    target = {"ScalingTargetId": {"Ref": "Target"}}
    variant = {
        "VariantName": "blue",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
    }
    output = {"S3OutputPath": f"s3://{bucket}/answers", "NotificationConfig": topics}
    follow = {
        "TargetValue": 5,
        "ScaleInCooldown": 1,
        "CustomizedMetricSpecification": {**_metric("ApproximateBacklogSizePerInstance"), "Statistic": "Average"},
    }
    wake = {
        "AdjustmentType": "ChangeInCapacity",
        "Cooldown": 5,
        "MetricAggregationType": "Maximum",
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
    }
    alarm = {
        **_metric("HasBacklogWithoutCapacity"),
        "AlarmName": "sleepy-has-work",
        "Statistic": "Maximum",
        "Period": 10,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "AlarmActions": [{"Ref": "Wake"}],
    }
    resources = {
        "Config": (
            "AWS::SageMaker::EndpointConfig",
            {"ProductionVariants": [variant], "AsyncInferenceConfig": {"OutputConfig": output}},
        ),
        "Endpoint": (
            "AWS::SageMaker::Endpoint",
            {"EndpointName": "sleepy", "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
        ),
        "Target": (
            "AWS::ApplicationAutoScaling::ScalableTarget",
            {
                "ServiceNamespace": "sagemaker",
                "ScalableDimension": DIMENSION,
                "ResourceId": {"Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/blue"},
                "MinCapacity": 0,
                "MaxCapacity": 2,
            },
        ),
        "Follow": (
            "AWS::ApplicationAutoScaling::ScalingPolicy",
            {
                "PolicyName": "follow",
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": follow,
                **target,
            },
        ),
        "Wake": (
            "AWS::ApplicationAutoScaling::ScalingPolicy",
            {
                "PolicyName": "wake",
                "PolicyType": "StepScaling",
                "StepScalingPolicyConfiguration": wake,
                **target,
            },
        ),
        "Alarm": ("AWS::CloudWatch::Alarm", alarm),
    }
    return {name: {"Type": kind, "Properties": properties} for name, (kind, properties) in resources.items()}


def test_a_deployed_endpoint_sleeps_and_wakes(cloud, endpoints, wait_until, tmp_path):
    resources = _template(endpoints.model(), endpoints.bucket, endpoints.topics)
    cloud.deployer.deploy(write_assembly(tmp_path, {"sleepy": {"Resources": resources}}))
    assert endpoints.answered(endpoints.ask("sleepy", "awake")) == b"AWAKE"
    wait_until(lambda: endpoints.instances("sleepy") == 0)
    assert endpoints.describe("sleepy")["EndpointStatus"] == "InService"
    wait_until(lambda: not cloud.containers.running())
    asked = endpoints.ask("sleepy", "wake up")
    assert endpoints.answered(asked) == b"WAKE UP"
    endpoints.told("SuccessTopic", asked["InferenceId"])
    actions = cloud.client("cloudwatch").describe_alarm_history(AlarmName="sleepy-has-work", HistoryItemType="Action")
    assert ":policyName/wake" in actions["AlarmHistoryItems"][0]["HistorySummary"]
    cloud.deployer.destroy(["sleepy"])
    scaling = cloud.client("application-autoscaling")
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
