"""The registry is emptied when its stack goes, and at no other time."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from localcloud.deploy.deployer import DeployFailedError
from stacks.bundling import bundle_functions
from stacks.config import ROOT, Environment
from stacks.synth import app_context, use_bundled_node

Deploy = Callable[..., None]


@pytest.fixture
def deploy(cloud: LocalCloud, tmp_path: Path) -> Deploy:
    """Deploy the registry's stack alone; `refused` adds, at the end, a resource that AWS refuses."""
    from aws_cdk import App, CfnResource  # takes seconds, so only where templates are needed

    from stacks.registry_stack import RegistryStack

    use_bundled_node()
    numbers = itertools.count()

    def run(environment: Environment, *, refused: bool = False) -> None:
        output = tmp_path / f"assembly-{next(numbers)}"
        app = App(context=app_context("local"), outdir=str(output))
        stack = RegistryStack(app, "Registry", environment=environment, functions=bundle_functions(ROOT))
        if refused:
            properties = {"Type": "String", "Name": "/aws/reserved", "Value": "refused"}
            last = CfnResource(stack, "Refused", type="AWS::SSM::Parameter", properties=properties)
            last.node.add_dependency(*(child for child in stack.node.children if child is not last))
        app.synth()
        cloud.deployer.deploy(output)

    return run


def bucket(cloud: LocalCloud) -> str:
    """Return the artefact bucket."""
    names = [each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"]]
    (name,) = [name for name in names if name.startswith("tidegate-local-artefacts")]
    return str(name)


def fill(cloud: LocalCloud) -> None:
    cloud.client("s3").put_object(Bucket=bucket(cloud), Key="rain/model.tar.gz", Body=b"weights")
    cloud.client("sagemaker").create_model_package(ModelPackageGroupName="rain-local")


def kept(cloud: LocalCloud) -> tuple[list[str], int]:
    objects = cloud.client("s3").list_objects_v2(Bucket=bucket(cloud)).get("Contents", [])
    packages = cloud.client("sagemaker").list_model_packages(ModelPackageGroupName="rain-local")
    return [each["Key"] for each in objects], len(packages["ModelPackageSummaryList"])


ALL = (["rain/model.tar.gz"], 1)


def keeping(environment: Environment) -> Environment:
    """Return the environment as one that keeps its data."""
    return replace(environment, retain_data=True, alert_emails=("on-call@example.com",))


def test_turning_retain_data_on_keeps_what_is_there(
    cloud: LocalCloud, deploy: Deploy, environment: Environment
) -> None:
    deploy(environment)
    fill(cloud)
    deploy(keeping(environment))
    assert kept(cloud) == ALL


def test_failed_attempt_to_turn_it_off_keeps_what_is_there(
    cloud: LocalCloud, deploy: Deploy, environment: Environment
) -> None:
    deploy(keeping(environment))
    fill(cloud)
    with pytest.raises(DeployFailedError) as failed:
        deploy(environment, refused=True)
    assert failed.value.status == "UPDATE_ROLLBACK_COMPLETE"
    assert kept(cloud) == ALL


def test_destroying_an_environment_that_keeps_nothing_leaves_nothing(
    cloud: LocalCloud, deploy: Deploy, environment: Environment
) -> None:
    deploy(environment)
    fill(cloud)
    name = bucket(cloud)
    cloud.deployer.destroy(["Registry"])
    assert name not in [each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"]]
    assert cloud.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"] == []
