"""The whole loop in the local cloud: real templates, real functions under their real roles, real model servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from stacks.config import Environment
from tests.scenarios import environments
from tests.scenarios.assemblies import Assemblies


@pytest.fixture(scope="session")
def environment() -> Environment:
    """One endpoint, whose rollouts are over as soon as the alarms have seen enough."""
    return environments.quick()


@pytest.fixture(scope="session")
def assemblies(run_folder: Path) -> Assemblies:
    """Cloud assemblies, each synthesised once a run."""
    folder = run_folder / "assemblies"
    folder.mkdir(exist_ok=True)
    return Assemblies(folder)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """An empty local cloud."""
    with LocalCloud(work_dir=tmp_path / "cloud") as running:
        yield running
