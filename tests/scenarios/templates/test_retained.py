"""An environment that keeps its data can be deployed after a first create that failed, and outlives its stacks."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lambdas import contract
from localcloud.cloud import LocalCloud
from localcloud.deploy.deployer import DeployFailedError
from stacks.config import Environment
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.loop import Loop

REFUSED = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "/aws/reserved", "Value": "refused"}}


def refused_at_the_end(assembly: Path) -> None:
    """Add to the control loop, after all the rest, a resource that AWS refuses."""
    (path,) = assembly.rglob("*Rollout*.template.json")
    template = json.loads(path.read_text())
    template["Resources"]["Refused"] = {**REFUSED, "DependsOn": list(template["Resources"])}
    path.write_text(json.dumps(template))


def test_data_outlives_the_stacks_but_not_a_first_create_that_failed(
    cloud: LocalCloud, environment: Environment, assemblies: Assemblies, tmp_path: Path
) -> None:
    loop = Loop(cloud, tmp_path, assemblies)
    keeping = replace(environment, retain_data=True, alert_emails=("on-call@example.com",))
    with pytest.raises(DeployFailedError) as failed:
        loop.deploy(keeping, refused_at_the_end)
    assert failed.value.status == "ROLLBACK_COMPLETE"
    assert cloud.client("dynamodb").list_tables()["TableNames"] == []
    loop.deploy(keeping)
    loop.destroy()
    kept = {contract.inference_table("local"), contract.table_name("local")}
    assert set(cloud.client("dynamodb").list_tables()["TableNames"]) == kept
    assert loop.aws.sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
