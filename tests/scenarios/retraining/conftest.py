"""One deployment of the loop's environment, whose endpoints the files of this folder have to themselves."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from localcloud.physics.settings import PhysicsSettings
from tests.scenarios import environments
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.retraining.watched import Watched


@pytest.fixture(scope="package")
def circle(models: Path, assemblies: Assemblies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The environment, deployed; monitors look when they are told to, for their windows lie in the past."""
    settings = PhysicsSettings(create_seconds=0.5, update_seconds=0.5)
    with LocalCloud(work_dir=tmp_path_factory.mktemp("work") / "cloud", settings=settings) as cloud:
        circle = Watched(cloud, models, assemblies, environments.RETRAINED, "loop")
        circle.deploy(environments.looped(), without_schedules_of_monitors)
        yield circle


def without_schedules_of_monitors(assembly: Path) -> None:
    """Switch off the rules that start monitors by the clock."""
    (path,) = assembly.rglob("*Monitoring*.template.json")
    template = json.loads(path.read_text())
    rules = [each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::Events::Rule"]
    clocked = [rule for rule in rules if "ScheduleExpression" in rule]
    assert len(clocked) == len(environments.looped().endpoints)
    for rule in clocked:
        rule["State"] = "DISABLED"
    path.write_text(json.dumps(template))


@pytest.fixture(autouse=True)
def without_faults(circle: Watched) -> Iterator[None]:
    """End the faults of each test."""
    yield
    circle.cloud.faults.clear()
