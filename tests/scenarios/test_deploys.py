"""After a promotion, whatever is deployed, the promoted model stays live throughout. Autoscaling is on."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from localcloud.deploy.deployer import DeployFailedError
from stacks.config import ROOT, Environment
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.environments import in_one_step, quick, with_endpoint, with_policy
from tests.scenarios.loop import ENDPOINT, Loop
from tests.scenarios.traffic import SENDERS, Traffic


@pytest.fixture(scope="module")
def environment() -> Environment:
    """What is deployed first."""
    return in_one_step(quick())


@pytest.fixture(scope="module")
def promoted(
    models: Path, environment: Environment, assemblies: Assemblies, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loop]:
    """The environment, deployed, with 1.1.0 promoted; the tests of this file run on it one after the other."""
    with LocalCloud(work_dir=tmp_path_factory.mktemp("work") / "cloud") as cloud:
        loop = Loop(cloud, models, assemblies)
        loop.deploy(environment)
        with loop.traffic():
            loop.approve("1.1.0")
            assert loop.wait_for_end(1).outcome == "PROMOTED", loop.story()
        yield loop


def of_fleet(environment: Environment, **changes: Any) -> Environment:
    (rain,) = environment.endpoints
    return with_endpoint(environment, replace(rain, fleet=replace(rain.fleet, **changes)))


@contextmanager
def promoted_model_live_throughout(loop: Loop) -> Iterator[None]:
    """Watch that every variant with weight serves the promoted model, and that no request fails."""
    wrong: list[str] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.3):
            wrong.extend(unpromoted(loop))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        with loop.traffic() as traffic:
            await_answers(loop, traffic)
            yield
            await_answers(loop, traffic)
    finally:
        stop.set()
        watcher.join()
    assert not wrong, f"{wrong[0]}\n{loop.story()}"
    assert not traffic.failures, f"{traffic.failures[0]}\n{loop.story()}"


def await_answers(loop: Loop, traffic: Traffic) -> None:
    """Wait until requests that are sent from now on have been answered."""
    enough = len(traffic.answers) + 2 * SENDERS
    loop.wait_for(lambda: len(traffic.answers) >= enough, "requests to be answered")


def unpromoted(loop: Loop) -> list[str]:
    """Return the variants that take traffic with another model than 1.1.0."""
    described = loop.describe()
    config = loop.aws.sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    models = {variant["VariantName"]: variant["ModelName"] for variant in config["ProductionVariants"]}
    with_weight = [each["VariantName"] for each in described["ProductionVariants"] if each["CurrentWeight"] > 0]
    urls = {
        name: loop.aws.sagemaker.describe_model(ModelName=models[name])["PrimaryContainer"]["ModelDataUrl"]
        for name in with_weight
        if name in models
    }
    return [f"{name} serves {url}" for name, url in urls.items() if "/1.1.0/" not in url]


def test_a_deploy_without_changes_touches_nothing(promoted: Loop, environment: Environment) -> None:
    before = promoted.describe()
    with promoted_model_live_throughout(promoted):
        assert promoted.deploy(environment) == []
    after = promoted.describe()
    assert after["LastModifiedTime"] == before["LastModifiedTime"]


def test_a_changed_threshold_touches_the_alarms_only(promoted: Loop, environment: Environment) -> None:
    before = promoted.describe()
    (rain,) = environment.endpoints
    edited = replace(rain, alarms=replace(rain.alarms, p99_latency_milliseconds=30_000))
    with promoted_model_live_throughout(promoted):
        changes = promoted.deploy(with_endpoint(environment, edited))
    assert len(changes) == 2
    assert all("p99" in name.lower() or "latency" in name.lower() for name, _ in changes), changes
    alarm = promoted.aws.cloudwatch.describe_alarms(AlarmNames=[f"{ENDPOINT}-blue-p99-latency"])["MetricAlarms"][0]
    assert alarm["Threshold"] == 30_000_000
    assert promoted.describe()["LastModifiedTime"] == before["LastModifiedTime"]
    assert len(promoted.rollouts()) == 1


def test_a_deploy_that_fails_and_rolls_back_leaves_the_promoted_model(promoted: Loop, environment: Environment) -> None:
    changed = of_fleet(environment, instance_type="ml.m5.xlarge")
    with promoted_model_live_throughout(promoted):
        with pytest.raises(DeployFailedError):
            promoted.deploy(changed, add_failing_resource)
        promoted.wait_for(lambda: all(each.ended for each in promoted.rollouts()), "the engine to be at rest")
    assert promoted.live_fleet()["instance_type"] == "ml.m5.large"
    assert "/1.1.0/" in promoted.live_fleet()["model_data"]


def add_failing_resource(assembly: Path) -> None:
    """Add, after the fleet, a resource that AWS refuses."""
    import json

    (path,) = assembly.rglob("*Servingrain*.template.json")
    template = json.loads(path.read_text())
    (fleet,) = [name for name, each in template["Resources"].items() if each["Type"] == "Custom::Fleet"]
    template["Resources"]["Refused"] = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Name": "/aws/reserved/by/aws", "Value": "refused"},
        "DependsOn": [fleet],
    }
    path.write_text(json.dumps(template))


def move_fleet(promoted: Loop, environment: Environment, look: Callable[[dict[str, Any]], bool]) -> None:
    count = len(promoted.rollouts())
    with promoted_model_live_throughout(promoted):
        promoted.deploy(environment)
        rollout = promoted.wait_for_end(count + 1)
    assert (rollout.kind, rollout.outcome) == ("fleet", "PROMOTED"), promoted.story()
    fleet = promoted.live_fleet()
    assert look(fleet), fleet
    assert "/1.1.0/" in fleet["model_data"]


def test_a_changed_instance_type_moves_the_live_model_by_a_rollout(promoted: Loop, environment: Environment) -> None:
    both_take_traffic = with_policy(environment, quick().endpoints[0].rollout)
    changed = of_fleet(both_take_traffic, instance_type="ml.m5.xlarge")
    move_fleet(promoted, changed, lambda fleet: fleet["instance_type"] == "ml.m5.xlarge")


def test_a_changed_serving_container_moves_the_live_model_by_a_rollout(
    promoted: Loop, environment: Environment
) -> None:
    before = promoted.live_fleet()["image"]
    folder = changed_container()
    (rain,) = environment.endpoints
    image = replace(rain.fleet.image, folder=str(folder.relative_to(ROOT)))
    changed = of_fleet(environment, instance_type="ml.m5.xlarge", image=image)
    move_fleet(promoted, changed, lambda fleet: fleet["image"] != before)


def changed_container() -> Path:
    """Return a copy of the serving container with a line added."""
    folder = ROOT / "build" / "tests" / "serving"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "model_containers" / "serving", folder, ignore=shutil.ignore_patterns("__pycache__"))
    dockerfile = folder / "Dockerfile.cpu"
    dockerfile.write_text(f"{dockerfile.read_text()}\nLABEL changed=yes\n")
    return folder


def test_a_fleet_change_in_the_middle_of_a_rollout_is_queued(promoted: Loop, environment: Environment) -> None:
    count = len(promoted.rollouts())
    with promoted.traffic():
        promoted.approve("1.2.0")
        promoted.wait_for_phase("PREPARE", "TEST", "SHIFT", "BAKE")
        promoted.deploy(of_fleet(environment, instance_type="ml.m5.2xlarge"))
        promoted.wait_for_end(count + 2)
    model, fleet = promoted.rollouts()[-2:]
    assert (model.kind, model.outcome) == ("model", "ROLLED_BACK"), promoted.story()
    assert (fleet.kind, fleet.outcome) == ("fleet", "PROMOTED"), promoted.story()
    assert fleet.started_at >= model.ended_at
    assert promoted.live_fleet()["instance_type"] == "ml.m5.2xlarge"
    assert "/1.1.0/" in promoted.live_fleet()["model_data"]


def test_destroy_leaves_nothing(promoted: Loop) -> None:
    promoted.destroy()
    cloud = promoted.cloud
    sagemaker = cloud.client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert sagemaker.list_models()["Models"] == []
    targets = cloud.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    assert targets["ScalableTargets"] == []
    assert cloud.client("lambda").list_functions()["Functions"] == []
    parameters = cloud.client("ssm").describe_parameters()["Parameters"]
    assert [each["Name"] for each in parameters if "tidegate" in each["Name"]] == []
