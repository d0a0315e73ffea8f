"""Every strategy, promoted and taken back, on six endpoints side by side, from nothing but an environment's file."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from stacks.config import load_environment
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.loop import Loop
from tidegate import rollouts as records

HOOK = """
def handler(event, context):
    return {"decision": "go", "reason": f"{event['version']} may have {event['weight']} %"}
"""
STRATEGIES = ("canary", "linear", "blue-green", "all-at-once", "shadow", "ab-test")
RATE = 12.0


@pytest.fixture(scope="module")
def loops(models: Path, assemblies: Assemblies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Loop]]:
    """The endpoints, deployed."""
    environment = load_environment("local", Path(__file__).with_name("strategies"))
    with LocalCloud(work_dir=tmp_path_factory.mktemp("work") / "cloud") as cloud:
        loop = Loop(cloud, models, assemblies, STRATEGIES[0])
        loop.deploy(environment)
        loop.deploy_assembly(users_own_function(tmp_path_factory.mktemp("hook")))
        yield {name: loop.at(name) for name in STRATEGIES}


def users_own_function(folder: Path) -> Path:
    """Synthesise a stack of the user's own, with the function that the canary's step names as its hook."""
    from aws_cdk import App, DefaultStackSynthesizer, Environment, Stack, aws_lambda  # takes seconds

    app = App(outdir=str(folder))
    where = Environment(account="123456789012", region="us-east-1")
    aws_lambda.Function(
        Stack(app, "hooks", env=where, synthesizer=DefaultStackSynthesizer()),
        "Hook",
        function_name="may-it",
        runtime=aws_lambda.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=aws_lambda.Code.from_inline(HOOK),
    )
    app.synth()
    return folder


class UnderTraffic(AbstractContextManager["UnderTraffic"]):
    """Endpoints that are sent requests, each until its rollout has ended."""

    def __init__(self, loops: dict[str, Loop]) -> None:
        self._loops = loops
        self._sending = {name: ExitStack() for name in loops}

    def __enter__(self) -> "UnderTraffic":
        for name, loop in self._loops.items():
            self._sending[name].enter_context(loop.traffic(RATE))
        return self

    def __exit__(self, *_: object) -> None:
        for sending in self._sending.values():
            sending.close()

    def wait_for_ends(self, count: int) -> dict[str, records.Rollout]:
        """Wait until each endpoint has had that many rollouts; return the last of each."""
        ended: dict[str, records.Rollout] = {}

        def look() -> bool:
            for name in self._loops.keys() - ended.keys():
                if rollout := self._loops[name].ended(count):
                    ended[name] = rollout
                    self._sending[name].close()
            return len(ended) == len(self._loops)

        waiting = next(iter(self._loops.values()))
        waiting.wait_for(look, f"{count} rollouts of each endpoint to end")
        return ended


def approve_step(loop: Loop) -> None:
    """Approve the step of the canary once it waits for that."""
    loop.wait_for_phase("APPROVE")
    loop.operate("approve", "--step", "--reason", "the figures are good")


def shares(loop: Loop) -> list[int]:
    """Return the percentages that the newest version has had, verified, in turn."""
    trail = records.audit(loop.aws, loop.endpoint, loop.rollouts()[-1].id)
    return [entry.numbers["weight"] for entry in trail if entry.kind == "weight"]


def test_good_version_is_promoted_by_every_strategy(loops: dict[str, Loop]) -> None:
    with UnderTraffic(loops) as traffic:
        for loop in loops.values():
            loop.approve("1.1.0")
        approve_step(loops["canary"])
        ended = traffic.wait_for_ends(1)
    assert {name: rollout.outcome for name, rollout in ended.items()} == dict.fromkeys(STRATEGIES, "PROMOTED")
    assert {name: shares(loop) for name, loop in loops.items()} == {
        "canary": [40, 100],
        "linear": [50, 100],
        "blue-green": [100],
        "all-at-once": [100],
        "shadow": [100],
        "ab-test": [50, 100],
    }
    canary = loops["canary"].story()
    assert "may-it said go: 1.1.0 may have 40 %" in canary
    assert re.search("approved the step at 40 %: the figures are good", canary)
    assert re.search("1.1.0 was good as a shadow", loops["shadow"].story())
    assert re.search("1.1.0 won the A/B test by error-rate", loops["ab-test"].story())


def test_bad_version_is_taken_back_by_every_strategy_that_watches(loops: dict[str, Loop]) -> None:
    watching = {name: loop for name, loop in loops.items() if name != "all-at-once"}
    with UnderTraffic(watching) as traffic:
        for loop in watching.values():
            loop.approve("1.2.0")
        ended = traffic.wait_for_ends(2)
    assert {name: rollout.outcome for name, rollout in ended.items()} == dict.fromkeys(watching, "ROLLED_BACK")
    for name, loop in watching.items():
        assert loop.weights() == {"green": 100.0}, name
    assert shares(loops["shadow"]) == [0], "no client was answered by the shadow"
    assert "lost the A/B test by error-rate" in ended["ab-test"].reason
    assert "alarm" in ended["canary"].reason or "requests failed" in ended["canary"].reason


def test_what_went_live_at_once_is_taken_back_by_an_operator(loops: dict[str, Loop]) -> None:
    loop = loops["all-at-once"]
    with loop.traffic(RATE):
        loop.operate("rollback", "--to", "bootstrap", "--reason", "it was meant for Monday")
        rollout = loop.wait_for_end(2)
    assert (rollout.version, rollout.outcome) == ("bootstrap", "PROMOTED")
    assert "it was meant for Monday" in loop.story()
