"""The whole loop in the local cloud: real templates, real functions under their real roles, real model servers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lambdas.rollout.policy import Policy, Step
from localcloud.cloud import LocalCloud
from model_containers.training import build
from stacks.config import ROOT, Environment, load_environment
from tests.scenarios.loop import Loop

MODELS = ROOT / "build" / "models"


@pytest.fixture(scope="session")
def models() -> Path:
    """The trained model versions."""
    build.build(MODELS)
    return MODELS


@pytest.fixture(scope="session")
def environment() -> Environment:
    """`environments/local.yaml` with a rollout that is over as soon as the alarms have seen enough."""
    local = load_environment("local")
    (rain,) = local.endpoints
    steps = (Step(50, bake_seconds=2), Step(100))
    policy = Policy(steps, soak_seconds=2, deadline_seconds=600, smoke_test=rain.rollout.smoke_test)
    alarms = replace(rain.alarms, bad_periods=1, of_periods=1)
    return replace(local, endpoints=(replace(rain, rollout=policy, alarms=alarms),))


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """An empty local cloud."""
    with LocalCloud(work_dir=tmp_path / "cloud") as running:
        yield running


@pytest.fixture
def loop(cloud: LocalCloud, models: Path, environment: Environment, tmp_path: Path) -> Loop:
    """The environment, deployed."""
    made = Loop(cloud, models, tmp_path)
    made.deploy(environment)
    return made
