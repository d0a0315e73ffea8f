"""What all tests share: the trained models, and which tests go to one worker of pytest-xdist together."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from lambdas.rollout.adapters import clients
from tests.once import once

ROOT = Path(__file__).parents[1]

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

TOGETHER = (
    "tests/infra",
    "tests/scenarios/front_door",
    "tests/scenarios/front_door_jobs",
    "tests/scenarios/front_door_working",
    "tests/scenarios/one_environment",
    "tests/scenarios/retraining",
    "tests/scenarios/templates",
)
"""Folders whose files share something that is dear to make; any other file goes to a worker by itself."""

FIRST = (
    "tests/scenarios/test_strategies.py",
    "tests/scenarios/test_approvals.py",
    "tests/scenarios/test_deploys.py",
    "tests/scenarios/retraining",
    "tests/scenarios/front_door",
    "tests/scenarios/one_environment",
    "tests/scenarios/templates",
    "tests/scenarios",
    "tests/simulation",
    "tests/infra",
)
"""What takes longest is begun first. Scenarios mostly wait, and the other tests fill the time."""


_read_file = JSONFileLoader.load_file
_read_once = functools.cache(functools.partial(_read_file, JSONFileLoader()))


def _load_file(loader: JSONFileLoader, path: str) -> Any:
    # Of S3's model botocore changes what it has loaded.
    return _read_file(loader, path) if "/s3/" in path else _read_once(path)


# Every session reads its services' models anew, and tests make hundreds of sessions.
JSONFileLoader.load_file = _load_file


class Units(LoadScopeScheduling):
    """Gives workers files, or folders of files, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if path.startswith(f"{folder}/")), path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Units:
    config.option.loadscopereorder = False
    return Units(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    return next((place for place, start in enumerate(FIRST) if nodeid.startswith(start)), len(FIRST))


@pytest.fixture(autouse=True)
def _without_time_limit() -> Iterator[None]:
    """Let no function that a test has run in this process hold the tests after it to its own time."""
    yield
    clients.time_limit.start(float("inf"))


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def models(run_folder: Path) -> Path:
    """The trained model versions; the folder is the one that the demo uses, so that they are built once."""
    output = ROOT / "build" / "models"
    with once(run_folder / "models") as first:
        if first:
            from model_containers.training.build import build  # takes seconds, so only where models are needed

            build(output)
    return output
