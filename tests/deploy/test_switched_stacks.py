"""A stack whose switches an operator has used can be destroyed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk import Environment as Place
from aws_cdk import aws_lambda as lambda_

from localcloud.cloud import LocalCloud
from stacks.bundling import bundle_functions
from stacks.config import ROOT, load_environment
from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.front_door.switches import Switches
from stacks.constructs.front_door.switches_emptying import SwitchesEmptying
from stacks.synth import app_context, use_bundled_node
from tidegate.aws import Aws
from tidegate.switches import FLAGS, Profile, states, switch

STACK = "Switched"
PLACES = ("Application", "Environment", "ConfigurationProfile", "DeploymentStrategy")


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        yield running


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack with the switches of one front door, and what they share with others."""
    use_bundled_node()
    environment, folder = load_environment("local"), tmp_path_factory.mktemp("assembly")
    app = App(context=app_context("local"), outdir=str(folder))
    stack = Stack(app, STACK, env=Place(account=environment.account, region=environment.region))
    key = EncryptionKey(stack, "Key", description="Logs", alias="switched", removal_policy=RemovalPolicy.DESTROY)
    code = lambda_.Code.from_asset(str(bundle_functions(ROOT)))
    emptying = SwitchesEmptying(stack, "EmptySwitches", environment=environment, code=code, key=key)
    door = environment.called[0].front_door
    assert door is not None
    Switches(stack, "Switches", name="rain-local", door=door, emptying=emptying)
    app.synth()
    return folder


@pytest.fixture
def profile(cloud: LocalCloud, assembly: Path) -> Profile:
    """The switches, deployed."""
    cloud.deployer.deploy(assembly)
    client = cloud.client("cloudformation")
    resources = client.describe_stack_resources(StackName=STACK)["StackResources"]
    found = {each["ResourceType"]: each["PhysicalResourceId"] for each in resources}
    return Profile(*(found[f"AWS::AppConfig::{place}"] for place in PLACES), configured=FLAGS)


def test_a_stack_is_destroyed_after_its_switches_were_used(cloud: LocalCloud, profile: Profile) -> None:
    aws = Aws(cloud.client)
    for on in (False, True, False):
        assert switch(aws, profile, "cache", on=on)
    assert not states(aws, profile)["cache"]
    cloud.deployer.destroy([STACK])
    assert cloud.client("appconfig").list_applications()["Items"] == []
