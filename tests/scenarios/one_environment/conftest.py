"""One environment, deployed once for all of these tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from stacks.config import Environment
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.loop import Loop


@pytest.fixture(scope="package")
def shared(
    models: Path, environment: Environment, assemblies: Assemblies, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loop]:
    """The environment, deployed."""
    with LocalCloud(work_dir=tmp_path_factory.mktemp("work") / "cloud") as cloud:
        loop = Loop(cloud, models, assemblies)
        loop.deploy(environment)
        yield loop


@pytest.fixture
def loop(shared: Loop) -> Iterator[Loop]:
    """The environment, without faults."""
    yield shared
    shared.cloud.faults.clear()
