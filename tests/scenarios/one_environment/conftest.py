"""One environment, deployed once for all of these tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from stacks.config import Environment
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.loop import Loop
from tidegate.rollouts import AuditEntry, audit


@dataclass(frozen=True)
class Deployed:
    """The environment, and how its endpoint stood right after the first deploy."""

    loop: Loop
    weights: dict[str, float]
    trail: list[AuditEntry]


@pytest.fixture(scope="package")
def deployed(
    models: Path, environment: Environment, assemblies: Assemblies, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """The environment, deployed."""
    with LocalCloud(work_dir=tmp_path_factory.mktemp("work") / "cloud") as cloud:
        loop = Loop(cloud, models, assemblies)
        loop.deploy(environment)
        yield Deployed(loop, loop.weights(), audit(loop.aws, loop.endpoint))


@pytest.fixture
def loop(deployed: Deployed) -> Iterator[Loop]:
    """The environment, without faults."""
    yield deployed.loop
    deployed.loop.cloud.faults.clear()
