"""Another shape of model and config, or one more recorded value, deploys over and over; the endpoint is not touched.

`Custom::Fleet` is left out: what it starts, the rollout, would need a GPU.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from localcloud.deploy.deployer import DeployFailedError
from stacks.config import Environment
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.environments import with_endpoint
from tests.scenarios.loop import ENDPOINT, Loop


@pytest.fixture(scope="module")
def deployed(
    environment: Environment, assemblies: Assemblies, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loop]:
    """The environment without its fleet, deployed; the tests of this file run on it one after the other."""
    folder = tmp_path_factory.mktemp("shapes")
    with LocalCloud(work_dir=folder / "cloud") as cloud:
        loop = Loop(cloud, folder, assemblies)
        loop.deploy(environment, without_fleet)
        yield loop


def serving_template(assembly: Path) -> tuple[Path, dict[str, Any]]:
    (path,) = assembly.rglob("*Servingrain*.template.json")
    return path, json.loads(path.read_text())


def without_fleet(assembly: Path) -> None:
    path, template = serving_template(assembly)
    kept = {name: each for name, each in template["Resources"].items() if each["Type"] != "Custom::Fleet"}
    path.write_text(json.dumps({**template, "Resources": kept}))


def refused_at_the_end(assembly: Path) -> None:
    """Put, in the place of the fleet, a resource that AWS refuses."""
    path, template = serving_template(assembly)
    (fleet,) = [name for name, each in template["Resources"].items() if each["Type"] == "Custom::Fleet"]
    refused = {"Type": "String", "Name": "/aws/reserved/by/aws", "Value": "refused"}
    waits = template["Resources"].pop(fleet)["DependsOn"]
    template["Resources"]["Refused"] = {"Type": "AWS::SSM::Parameter", "Properties": refused, "DependsOn": waits}
    path.write_text(json.dumps(template))


def on_gpu(environment: Environment, instance_type: str = "ml.g5.xlarge") -> Environment:
    (rain,) = environment.endpoints
    image = replace(rain.fleet.image, dockerfile="Dockerfile.gpu")
    version = "al2023-ami-sagemaker-inference-gpu-4-1"
    fleet = replace(rain.fleet, image=image, instance_type=instance_type, inference_ami_version=version)
    return with_endpoint(environment, replace(rain, fleet=fleet))


def configs(loop: Loop) -> dict[str, dict[str, Any]]:
    """Return the production variant of every endpoint config."""
    names = [each["EndpointConfigName"] for each in loop.aws.sagemaker.list_endpoint_configs()["EndpointConfigs"]]
    found = {name: loop.aws.sagemaker.describe_endpoint_config(EndpointConfigName=name) for name in names}
    return {name: config["ProductionVariants"][0] for name, config in found.items()}


def newest(loop: Loop, before: dict[str, Any]) -> dict[str, Any]:
    (name,) = set(configs(loop)) - set(before)
    return configs(loop)[name]


def touched(loop: Loop) -> tuple[str, Any]:
    described = loop.describe()
    return described["EndpointConfigName"], described["LastModifiedTime"]


def test_fleets_of_either_kind_follow_one_another(deployed: Loop, environment: Environment) -> None:
    live = touched(deployed)
    for wanted in (on_gpu(environment), environment, on_gpu(environment, "ml.g6.xlarge")):
        before, (rain,) = configs(deployed), wanted.endpoints
        deployed.deploy(wanted, without_fleet)
        made = newest(deployed, before)
        assert made["InstanceType"] == rain.fleet.instance_type
        assert made.get("InferenceAmiVersion") == rain.fleet.inference_ami_version
        assert before.items() <= configs(deployed).items(), "the one before may be live"
        assert touched(deployed) == live


def test_what_only_differs_in_values_makes_nothing(deployed: Loop, environment: Environment) -> None:
    before = configs(deployed)
    changes = deployed.deploy(on_gpu(environment, "ml.g5.2xlarge"), without_fleet)
    assert {kind for _, kind in changes} == {"update"}
    assert configs(deployed) == before


def test_one_more_recorded_value_deploys(
    deployed: Loop, environment: Environment, assemblies: Assemblies, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a later release may want one, of which the records of today know nothing."""
    from stacks.constructs import seeded_endpoint

    live, before, of_today = touched(deployed), configs(deployed), seeded_endpoint._seeded
    monkeypatch.setattr(seeded_endpoint, "_seeded", lambda *given: {**of_today(*given), "OneMore": "recorded"})

    assembly = assemblies.anew(on_gpu(environment))
    without_fleet(assembly)
    read_one_more(assembly)
    deployed.deploy_assembly(assembly)
    outputs = [stack["outputs"] for stack in deployed.cloud.deployer.stacks().values()]
    assert {"OneMore": "recorded"} in outputs
    assert newest(deployed, before)["InstanceType"] == "ml.g5.xlarge"
    assert touched(deployed) == live


def read_one_more(assembly: Path) -> None:
    path, template = serving_template(assembly)
    (seed,) = [name for name in template["Resources"] if name.startswith("ServingSeed")]
    template["Outputs"] = {"OneMore": {"Value": {"Fn::GetAtt": [seed, "OneMore"]}}}
    path.write_text(json.dumps(template))


def test_a_failed_change_of_shape_goes_back_to_the_old_record(deployed: Loop, environment: Environment) -> None:
    deployed.deploy(on_gpu(environment), without_fleet)
    live, before = touched(deployed), configs(deployed)
    with pytest.raises(DeployFailedError) as failed:
        deployed.deploy(environment, refused_at_the_end)
    assert failed.value.status == "UPDATE_ROLLBACK_COMPLETE"
    assert configs(deployed) == before
    assert deployed.deploy(on_gpu(environment), without_fleet) == []
    assert touched(deployed) == live


def test_clean_up_finds_the_configs_and_models_of_every_shape(deployed: Loop) -> None:
    sagemaker = deployed.aws.sagemaker
    models = [each["ModelName"] for each in sagemaker.list_models()["Models"]]
    assert len(models) == len(configs(deployed)) > 4
    assert all(name.startswith(f"{ENDPOINT}-bootstrap-") for name in models)
    deployed.destroy()
    assert sagemaker.list_models()["Models"] == []
    assert configs(deployed) == {}
