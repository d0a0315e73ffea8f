"""One endpoint whose jobs have an endpoint of their own, deployed once for all tests."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from localcloud.physics.settings import PhysicsSettings
from stacks.config import Environment
from stacks.config.callers import Client
from stacks.config.front_door import Audit, FrontDoor
from stacks.config.job_queue import Asynchronous, JobQueue
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.environments import in_one_step, quick
from tests.scenarios.front_door_working.doors import SHOP
from tests.scenarios.front_door_working.working import Door
from tests.scenarios.loop import Loop

_QUICK = PhysicsSettings(
    create_seconds=0.5,
    update_seconds=0.5,
    weights_seconds=0.5,
    restart_longest_seconds=1.0,
    scaling_period_seconds=2.0,
)
_DOOR = FrontDoor(
    "api_key",
    (Client(SHOP, requests_per_second=100, burst=100),),
    timeout_seconds=10,
    jobs=JobQueue(attempts=3, keep_days=1, at_once=2, asynchronous=Asynchronous(idle_minutes=1)),
    audit=Audit(keep_input=True),
)


def _environment() -> Environment:
    local = in_one_step(quick())
    (rain,) = local.endpoints
    return replace(local, endpoints=(replace(rain, front_door=_DOOR),))


@pytest.fixture(scope="package")
def door(models: Path, assemblies: Assemblies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """The endpoint's front door."""
    with LocalCloud(work_dir=tmp_path_factory.mktemp("work") / "cloud", settings=_QUICK) as cloud:
        loop = Loop(cloud, models, assemblies)
        loop.deploy(_environment())
        yield Door(loop)
