"""Stacks whose alias has provisioned concurrency: a new version takes over when it is ready, or the stack goes back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from localcloud.deploy.deployer import DeployFailedError
from localcloud.deploy.testing import write_assembly
from tests.deploy.test_deploy_to_local_cloud import att, of, ref, trusting

STACK = "aliases"
SAYS = """
import os
def handler(event, context):
    return ["{code}", context.function_version, os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]
"""
BROKEN = "import no_such_module"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        yield running


@pytest.fixture
def folder(cloud: LocalCloud, tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    if STACK in cloud.deployer.stacks():
        cloud.deployer.destroy([STACK])


def stack(version: str, source: str = "", provisioned: int = 1, most: int = 3, **more: Any) -> dict[str, Any]:
    """Return a function whose version is called after what it says, as the CDK calls one after its hash."""
    name = f"Version{version}"
    action = {"MinCapacity": 2, "MaxCapacity": 3}
    scheduled = {"ScheduledActionName": "peak", "Schedule": "cron(0 6 * * ? *)", "ScalableTargetAction": action}
    tracking = {
        "TargetValue": 0.7,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"},
    }
    return {
        "Role": of("IAM::Role", AssumeRolePolicyDocument=trusting("lambda")),
        "Function": of(
            "Lambda::Function",
            FunctionName="speaker",
            Code={"ZipFile": source or SAYS.format(code=version)},
            Handler="index.handler",
            Runtime="python3.13",
            Role=att("Role", "Arn"),
            Timeout=20,
        ),
        name: of("Lambda::Version", FunctionName=ref("Function")),
        "Live": of(
            "Lambda::Alias",
            FunctionName=ref("Function"),
            FunctionVersion=att(name, "Version"),
            Name="live",
            ProvisionedConcurrencyConfig={"ProvisionedConcurrentExecutions": provisioned},
        ),
        "Permission": of(
            "Lambda::Permission",
            Action="lambda:InvokeFunction",
            FunctionName=ref("Live"),
            Principal="events.amazonaws.com",
        ),
        "Config": of(
            "Lambda::EventInvokeConfig", FunctionName=ref("Function"), Qualifier="live", MaximumRetryAttempts=1
        )
        | {"DependsOn": "Live"},
        "Target": of(
            "ApplicationAutoScaling::ScalableTarget",
            MinCapacity=1,
            MaxCapacity=most,
            ResourceId="function:speaker:live",
            ScalableDimension="lambda:function:ProvisionedConcurrency",
            ServiceNamespace="lambda",
            ScheduledActions=[{**scheduled, "Timezone": "Europe/Berlin"}],
        )
        | {"DependsOn": "Live"},
        "Policy": of(
            "ApplicationAutoScaling::ScalingPolicy",
            PolicyName="follow",
            PolicyType="TargetTrackingScaling",
            ScalingTargetId=ref("Target"),
            TargetTrackingScalingPolicyConfiguration=tracking,
        ),
        **more,
    }


def deploy(cloud: LocalCloud, folder: Path, resources: dict[str, Any]) -> None:
    cloud.deployer.deploy(write_assembly(folder, {STACK: {"Resources": resources}}))


def ask(cloud: LocalCloud) -> str:
    return str(cloud.client("lambda").invoke(FunctionName="speaker", Qualifier="live")["Payload"].read().decode())


def config(cloud: LocalCloud) -> dict[str, Any]:
    return dict(cloud.client("lambda").get_provisioned_concurrency_config(FunctionName="speaker", Qualifier="live"))


def test_an_alias_follows_its_version_and_goes(cloud: LocalCloud, folder: Path) -> None:
    deploy(cloud, folder, stack("A"))
    assert ask(cloud) == '["A", "1", "provisioned-concurrency"]'
    assert "speaker:live" in cloud.client("lambda").get_policy(FunctionName="speaker", Qualifier="live")["Policy"]
    found = cloud.client("lambda").get_function_event_invoke_config(FunctionName="speaker", Qualifier="live")
    assert found["MaximumRetryAttempts"] == 1

    deploy(cloud, folder, stack("B", provisioned=2))
    assert (config(cloud)["Status"], config(cloud)["AllocatedProvisionedConcurrentExecutions"]) == ("READY", 2)
    assert ask(cloud) == '["B", "2", "provisioned-concurrency"]'
    versions = cloud.client("lambda").list_versions_by_function(FunctionName="speaker")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "2"]

    cloud.deployer.destroy([STACK])
    assert cloud.client("lambda").list_functions()["Functions"] == []
    scaling = cloud.client("application-autoscaling")
    assert scaling.describe_scalable_targets(ServiceNamespace="lambda")["ScalableTargets"] == []


def test_a_version_that_does_not_start_sends_the_stack_back(cloud: LocalCloud, folder: Path) -> None:
    deploy(cloud, folder, stack("A"))
    with pytest.raises(DeployFailedError, match="FUNCTION_ERROR_INIT_FAILURE") as caught:
        deploy(cloud, folder, stack("B", BROKEN))
    assert caught.value.status == "UPDATE_ROLLBACK_COMPLETE"
    assert ask(cloud) == '["A", "1", "provisioned-concurrency"]'
    assert cloud.client("lambda").get_alias(FunctionName="speaker", Name="live").get("RoutingConfig") is None


def test_scheduled_actions_and_bounds_change_in_place(cloud: LocalCloud, folder: Path) -> None:
    deploy(cloud, folder, stack("A"))
    scaling = cloud.client("application-autoscaling")
    (action,) = scaling.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"]
    assert (action["ScheduledActionName"], action["Timezone"]) == ("peak", "Europe/Berlin")
    changed = stack("A", most=5)
    changed["Target"]["Properties"]["ScheduledActions"] = []
    deploy(cloud, folder, changed)
    assert scaling.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"] == []
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="lambda")["ScalableTargets"]
    assert target["MaxCapacity"] == 5


def test_a_version_of_what_has_not_changed_cannot_be_made(cloud: LocalCloud, folder: Path) -> None:
    deploy(cloud, folder, stack("A"))
    again = of("Lambda::Version", FunctionName=ref("Function"))
    with pytest.raises(DeployFailedError, match="A version for this Lambda function exists"):
        deploy(cloud, folder, stack("A", Again=again))
    assert ask(cloud) == '["A", "1", "provisioned-concurrency"]'
