"""Containers killed from outside: each is replaced, and a rollout ends as it should."""

import contextlib
import os
import signal
import time

import pytest

from localcloud.physics.process import ProcessContainer
from stacks.config import Environment
from tests.scenarios.loop import Loop

BETWEEN_KILLS_SECONDS = 0.1
"""Less than a container takes to start, and time for all others to work."""


@pytest.fixture
def loop(cloud, models, assemblies, environment: Environment) -> Loop:
    """The one endpoint, deployed."""
    loop = Loop(cloud, models, assemblies)
    loop.deploy(environment)
    return loop


def containers(loop: Loop, variant: str) -> list[ProcessContainer]:
    """Return the containers of one of the endpoint's variants."""
    return [each for each in loop.cloud.containers.running() if each.name.startswith(f"{loop.name}/{variant}/")]


def kill(container: ProcessContainer) -> None:
    assert container.pid is not None
    with contextlib.suppress(ProcessLookupError):  # it may have ended by itself just now
        os.kill(container.pid, signal.SIGKILL)


def live(loop: Loop) -> str:
    (name,) = loop.weights()
    return name


def answered_by(loop: Loop) -> str | None:
    """Return the variant that answers a good request; None when none does."""
    with loop.traffic() as traffic:
        loop.wait_for(lambda: traffic.answers, "an answer")
    return None if traffic.failures else traffic.answers[-1].variant


def test_a_killed_container_is_replaced_and_the_next_version_is_promoted(loop: Loop) -> None:
    (container,) = containers(loop, live(loop))
    killed = container.pid

    kill(container)

    loop.wait_for(lambda: container.restarts == 1 and container.ping(), "the container to be replaced")
    assert container.pid != killed
    assert loop.describe()["EndpointStatus"] == "InService"
    assert answered_by(loop) == live(loop)
    with loop.traffic():
        loop.approve("1.1.0")
        rollout = loop.wait_for_end(1)
    assert rollout.outcome == "PROMOTED", loop.story()
    assert loop.weights() == {rollout.slot: 100.0}
    assert answered_by(loop) == rollout.slot


def test_a_version_whose_container_keeps_dying_is_taken_back(loop: Loop) -> None:
    before = live(loop)
    with loop.traffic() as traffic:
        loop.approve("1.1.0")
        loop.wait_for_phase("BAKE")
        (fresh,) = set(loop.weights()) - {before}
        kills = 0
        while not all(each.ended for each in loop.rollouts()):
            for container in containers(loop, fresh):
                if container.ping():
                    kill(container)
                    kills += 1
            time.sleep(BETWEEN_KILLS_SECONDS)
        rollout = loop.wait_for_end(1)
    assert kills
    assert rollout.outcome == "ROLLED_BACK", loop.story()
    assert loop.weights() == {before: 100.0}
    loop.wait_for(lambda: containers(loop, fresh) == [], "its containers to be gone")  # they stop in their own time
    # Of a variant without any container in service, answers do not tell the name.
    assert {answer.variant for answer in traffic.failures} <= {fresh, None}
    assert not any(each.restarts for each in containers(loop, before))
    assert answered_by(loop) == before
