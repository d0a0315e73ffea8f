"""Every strategy, promoted and taken back, on six endpoints side by side, from nothing but an environment's file."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from stacks.config import load_environment
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.loop import Loop
from tidegate import rollouts as records

STRATEGIES = ("canary", "linear", "blue-green", "all-at-once", "shadow", "ab-test")
RATE = 12.0


@pytest.fixture(scope="module")
def loops(
    models: Path, assemblies: Assemblies, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Loop]]:
    """The endpoints, deployed and under traffic."""
    environment = load_environment("local", Path(__file__).with_name("strategies"))
    with LocalCloud(work_dir=tmp_path_factory.mktemp("work") / "cloud") as cloud, ExitStack() as stack:
        loop = Loop(cloud, models, assemblies, STRATEGIES[0])
        loop.deploy(environment)
        each = {name: loop.at(name) for name in STRATEGIES}
        for one in each.values():
            stack.enter_context(one.traffic(RATE))
        yield each


def operate(loop: Loop, *words: str) -> None:
    """Type a command of the operator's."""
    command = [sys.executable, "-m", "tidegate", *words, "--env", "local", "--endpoint", loop.name]
    subprocess.run(command, env={**os.environ, **loop.cloud.environment}, check=True, timeout=120)


def shares(loop: Loop) -> list[int]:
    """Return the percentages that the newest version has had, verified, in turn."""
    trail = records.audit(loop.aws, loop.endpoint, loop.rollouts()[-1].id)
    return [entry.numbers["weight"] for entry in trail if entry.kind == "weight"]


def test_good_version_is_promoted_by_every_strategy(loops: dict[str, Loop]) -> None:
    for loop in loops.values():
        loop.approve("1.1.0")
    ended = {name: loop.wait_for_end(1) for name, loop in loops.items()}
    assert {name: rollout.outcome for name, rollout in ended.items()} == dict.fromkeys(STRATEGIES, "PROMOTED")
    assert {name: shares(loop) for name, loop in loops.items()} == {
        "canary": [40, 100],
        "linear": [50, 100],
        "blue-green": [100],
        "all-at-once": [100],
        "shadow": [100],
        "ab-test": [50, 100],
    }
    assert re.search("1.1.0 was good as a shadow", loops["shadow"].story())
    assert re.search("1.1.0 won the A/B test by error-rate", loops["ab-test"].story())


def test_bad_version_is_taken_back_by_every_strategy_that_watches(loops: dict[str, Loop]) -> None:
    watching = {name: loop for name, loop in loops.items() if name != "all-at-once"}
    for loop in watching.values():
        loop.approve("1.2.0")
    ended = {name: loop.wait_for_end(2) for name, loop in watching.items()}
    assert {name: rollout.outcome for name, rollout in ended.items()} == dict.fromkeys(watching, "ROLLED_BACK")
    for name, loop in watching.items():
        assert loop.weights() == {"green": 100.0}, name
    assert shares(loops["shadow"]) == [0], "no client was answered by the shadow"
    assert "lost the A/B test by error-rate" in ended["ab-test"].reason
    assert "alarm" in ended["canary"].reason or "requests failed" in ended["canary"].reason


def test_what_went_live_at_once_is_taken_back_by_an_operator(loops: dict[str, Loop]) -> None:
    loop = loops["all-at-once"]
    operate(loop, "rollback", "--to", "bootstrap", "--reason", "it was meant for Monday")
    rollout = loop.wait_for_end(2)
    assert (rollout.version, rollout.outcome) == ("bootstrap", "PROMOTED")
    assert "it was meant for Monday" in loop.story()
