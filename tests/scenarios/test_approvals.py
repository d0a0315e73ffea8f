"""An approval makes exactly one rollout, whatever becomes of its events. The tests share one environment, in order."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from stacks.config import Environment
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.environments import in_one_step
from tests.scenarios.loop import Loop
from tidegate import registry

SETTLE_SECONDS = 10
"""Long enough for an event's second delivery to have done whatever harm it could."""


@pytest.fixture(scope="module")
def shared(
    models: Path, environment: Environment, assemblies: Assemblies, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loop]:
    """The environment, deployed and under traffic."""
    with LocalCloud(work_dir=tmp_path_factory.mktemp("work") / "cloud") as cloud:
        loop = Loop(cloud, models, assemblies)
        loop.deploy(in_one_step(environment))
        with loop.traffic():
            yield loop


@pytest.fixture
def loop(shared: Loop) -> Iterator[Loop]:
    """The shared environment, without faults."""
    yield shared
    shared.cloud.faults.clear()


def is_package_event(event: dict[str, Any]) -> bool:
    return bool(event["detail-type"] == "SageMaker Model Package State Change")


def test_events_delivered_twice_make_one_rollout(loop: Loop) -> None:
    before = len(loop.rollouts())
    loop.cloud.faults.duplicate_events = True
    loop.approve("1.1.0")
    rollout = loop.wait_for_end(before + 1)
    time.sleep(SETTLE_SECONDS)
    assert (rollout.version, rollout.outcome) == ("1.1.0", "PROMOTED"), loop.story()
    assert len(loop.rollouts()) == before + 1


def test_a_lost_event_is_found_by_the_sweeper(loop: Loop) -> None:
    before = len(loop.rollouts())
    loop.cloud.faults.drop_events(is_package_event)
    loop.approve("1.1.0", "1.1.1")
    rollout = loop.wait_for_end(before + 1)
    assert (rollout.version, rollout.outcome) == ("1.1.1", "PROMOTED"), loop.story()


def test_a_handler_that_is_killed_still_makes_one_rollout(loop: Loop) -> None:
    before = len(loop.rollouts())
    with loop.killing("tidegate-local-admit") as killed:
        loop.approve("1.1.0", "1.1.2")
        rollout = loop.wait_for_end(before + 1)
    assert killed
    assert (rollout.version, rollout.outcome) == ("1.1.2", "PROMOTED"), loop.story()


def test_rejecting_and_approving_again_makes_a_second_rollout(loop: Loop) -> None:
    before = len(loop.rollouts())
    package = loop.approve("1.2.0")
    first = loop.wait_for_end(before + 1)
    assert (first.version, first.outcome) == ("1.2.0", "ROLLED_BACK"), loop.story()
    registry.decide(loop.aws, package, "Rejected")
    registry.decide(loop.aws, registry.describe(loop.aws, package.arn), "Approved")
    second = loop.wait_for_end(before + 2)
    assert (second.version, second.outcome) == ("1.2.0", "ROLLED_BACK"), loop.story()
