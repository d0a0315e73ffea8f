"""One deployment, whose endpoints the files of this folder share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from localcloud.physics import process
from localcloud.physics.settings import PhysicsSettings
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.front_door_working import doors
from tests.scenarios.front_door_working.working import Door
from tests.scenarios.loop import Loop

_QUICK = PhysicsSettings(
    create_seconds=0.5,
    update_seconds=0.5,
    weights_seconds=0.5,
    restart_longest_seconds=1.0,
    stream_buffer_limit_seconds=1.0,
)


@pytest.fixture(scope="package")
def deployed(models: Path, assemblies: Assemblies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """The environment, deployed."""
    with LocalCloud(work_dir=tmp_path_factory.mktemp("work") / "cloud", settings=_QUICK) as cloud:
        loop = Loop(cloud, models, assemblies, doors.KEPT)
        loop.deploy(doors.at_work())
        yield loop


@pytest.fixture(autouse=True)
def without_faults(deployed: Loop) -> Iterator[None]:
    """End the faults of each test."""
    yield
    deployed.cloud.faults.clear()


@pytest.fixture(scope="package")
def kept(deployed: Loop) -> Door:
    """The endpoint whose answers are kept."""
    return Door(deployed.at(doors.KEPT))


@pytest.fixture(scope="package")
def memory(deployed: Loop) -> Door:
    """The endpoint whose answers are kept in Valkey."""
    return Door(deployed.at(doors.MEMORY))


@pytest.fixture(scope="package")
def sticky(deployed: Loop) -> Door:
    """The endpoint whose callers keep to a version."""
    return Door(deployed.at(doors.STICKY))


@pytest.fixture(scope="package")
def queued(deployed: Loop) -> Door:
    """The endpoint with jobs, a stream and batches."""
    return Door(deployed.at(doors.QUEUED))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an endpoint that hangs stay in service: out of it, it refuses before anybody has waited for it."""
    monkeypatch.setattr(process, "_FAILED_PINGS_TO_UNHEALTHY", sys.maxsize)
