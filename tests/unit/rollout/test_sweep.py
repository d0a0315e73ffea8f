"""One endpoint's trouble is its own: the sweep goes on, and says what a person must put right."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.rollout import items
from lambdas.rollout.engine import Engine
from lambdas.rollout.errors import PermanentError
from lambdas.rollout.state import Phase
from lambdas.rollout.sweeper import Sweeper

OTHER = "a-first-local"


def sweep(world: Any) -> list[Any]:
    faults: list[Any] = Sweeper(world.ports, Engine(world.ports, "sweeper")).sweep()
    return faults


def poison(world: Any, **changes: Any) -> None:
    """Store the item of another endpoint that the engine cannot read; it has been due for longest."""
    item = json.loads(world.store.written["rain-local"])
    written = {**item, "name": OTHER, "wake": 1, "lane": "active", **changes}
    world.store.written = {OTHER: json.dumps(written), **world.store.written}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": 2}, "schema 2"),
        ({"live": None}, "cannot be read"),
        ({"rollout": {"phase": "TELEPORT"}}, "cannot be read"),
    ],
)
def test_item_that_cannot_be_read_stops_nothing_else(world: Any, changes: dict[str, Any], said: str) -> None:
    poison(world, **changes)
    world.decide(world.register(), "Approved", tell=False)
    faults = sweep(world)
    assert world.store.state.queued.version == "1.1.0"
    assert {fault.endpoint for fault in faults} == {OTHER}
    assert said in faults[0].reason
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_item_of_a_newer_schema_says_what_to_do(world: Any) -> None:
    poison(world, schema=7)
    with pytest.raises(PermanentError, match=r"newer version of Tidegate .*schema 7.*deploy"):
        world.store.load(OTHER)


def test_error_nobody_foresaw_is_logged_with_its_traceback_and_the_sweep_goes_on(world: Any) -> None:
    describe = world.sagemaker.describe

    def broken(name: str) -> Any:
        if name == OTHER:
            raise KeyError("ProductionVariants")
        return describe(name)

    poison(world)
    world.sagemaker.describe = broken
    world.decide(world.register(), "Approved", tell=False)
    faults = sweep(world)
    assert ("KeyError: 'ProductionVariants'", OTHER) in [(fault.reason, fault.endpoint) for fault in faults]
    assert any("Traceback" in line for line, _ in world.log.lines)
    assert world.store.state.queued is not None


def test_endpoint_that_takes_all_the_time_does_not_keep_the_others_approvals_out_for_ever(world: Any) -> None:
    approved = world.ports.registry.approved

    def slow(group: str) -> Any:
        if group == OTHER:
            world.clock.time += 60
            raise PermanentError("too slow")
        return approved(group)

    object.__setattr__(world.ports, "registry", _Registry(world.ports.registry, slow))
    world.pass_time(1)
    poison(world, lane="idle", wake=0)
    world.decide(world.register(), "Approved", tell=False)
    for _ in range(2):
        world.clock.time += 60
        sweep(world)
    assert world.store.approvals


class _Registry:
    def __init__(self, target: Any, approved: Callable[[str], Any]) -> None:
        self.describe, self.approved = target.describe, approved


def test_call_that_fails_in_a_way_nobody_foresaw_counts_as_a_failed_attempt(world: Any) -> None:
    create = world.sagemaker.create_model

    def broken(action: Any) -> None:
        world.sagemaker.create_model = create
        raise KeyError("PrimaryContainer")

    world.sagemaker.create_model = broken
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    [text] = world.store.texts("failure")
    assert "KeyError: 'PrimaryContainer'" in text


def test_smoke_test_that_fails_in_a_way_nobody_foresaw_counts_as_a_failed_attempt(world: Any) -> None:
    world.invoker.errors = [RuntimeError("no such codec")]
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert "no such codec" in world.store.texts("failure")[0]


def test_fields_that_a_newer_version_of_the_code_wrote_are_ignored(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.approve("1.2.0")
    item = json.loads(world.store.written["rain-local"])
    new = {"invented": 1}
    rollout = item["rollout"]
    rollout["policy"]["steps"] = [{**step, **new} for step in rollout["policy"]["steps"]]
    for part in (rollout["policy"]["smoke_test"], rollout["policy"], rollout["fleet"], rollout["fleet"]["capture"]):
        part.update(new)
    rollout["sent"].update(new)
    for part in (rollout, item["live"], item["live"]["fleet"], item["desired_fleet"], item["queued"], item):
        part.update(new)
    for name in ("artefacts", "outbox"):
        item[name] = [{**each, **new} for each in item[name]]
    assert items.read_state(item) == world.store.state
    world.store.written["rain-local"] = json.dumps(item)
    world.until_over()
    assert [outcome for _, outcome in world.outcomes] == ["PROMOTED", "PROMOTED"]


def test_episode_that_older_code_wrote_is_read(world: Any) -> None:
    world.approve()
    (episode,) = world.store.approvals.values()
    item = items.episode_item("rain-local", episode)
    del item["heard_at"]
    assert items.read_episode({**item, "invented": 1}) == episode
