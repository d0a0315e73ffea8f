"""One endpoint's trouble is its own: the sweep goes on, and says what a person must put right."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.rollout import items
from lambdas.rollout.crew import side_by_side
from lambdas.rollout.engine import Engine
from lambdas.rollout.errors import PermanentError, RetryableError
from lambdas.rollout.state import Phase
from lambdas.rollout.sweeper import PERIOD, SHARE, Sweeper, _share

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


def in_trouble(world: Any, count: int) -> list[str]:
    """Have others due for longer than the world's own endpoint, whose canary went bad without anybody being told."""
    world.approve()
    world.until_phase(Phase.BAKE)
    item = json.loads(world.store.written["rain-local"])
    names = [f"other-{number}" for number in range(count)]
    others = {
        name: json.dumps({**item, "name": name, "wake": 1 + number, "live": None}) for number, name in enumerate(names)
    }
    world.store.written = {**others, **world.store.written}
    world.alarms.bad["green"] = "ALARM"
    world.clock.time += 61
    return names


def test_endpoint_in_alarm_is_looked_at_before_those_that_have_waited_longer(world: Any) -> None:
    in_trouble(world, 3)
    assert [fault.endpoint for fault in sweep(world)][:3] == ["other-0", "other-1", "other-2"]
    assert world.alarms.expected == ["rain-local", "other-0", "other-1", "other-2"]
    assert world.store.state.rollout.abort_reason


def test_sweep_that_cannot_see_who_is_in_alarm_looks_at_all_the_same(world: Any) -> None:
    in_trouble(world, 1)

    def throttled() -> Any:
        raise RetryableError("Throttling")

    world.alarms.failing = throttled
    assert sweep(world)[0].endpoint == "other-0"
    assert world.store.state.rollout.abort_reason


def test_endpoints_for_which_a_sweep_has_no_time_are_handed_over_at_once(world: Any) -> None:
    names = in_trouble(world, 5)
    handed: list[str] = []
    world.timers.wake_all = handed.extend
    load = world.store.load

    def slow(name: str) -> Any:
        world.clock.time += 1
        return load(name)

    world.store.load = slow
    sweep(world)
    assert world.store.state.rollout.abort_reason
    assert handed
    assert handed == names[-len(handed) :]


def test_endpoint_whose_calls_hang_keeps_no_other_from_being_rolled_back(world: Any) -> None:
    in_trouble(world, 1)
    world.alarms.failing = frozenset
    rolled_back = threading.Event()
    world.sagemaker.set_weights = lambda name, weights: rolled_back.set()
    load, waited = world.store.load, []

    def hanging(name: str) -> Any:
        if name == "other-0":
            waited.append(rolled_back.wait(5))
            raise KeyError("no answer")
        return load(name)

    world.store.load = hanging
    faults = Sweeper(world.ports, Engine(world.ports, "sweeper"), side_by_side).sweep()
    assert waited[0]
    assert [fault.endpoint for fault in faults if fault.reason == "KeyError: 'no answer'"]


def test_share_of_a_sweep_comes_round_to_every_endpoint_as_the_first() -> None:
    names = [f"rain-{number}" for number in range(100)]
    shares = [_share(names, minute * PERIOD) for minute in range(220)]
    assert {len(share) for share in shares} == {SHARE}
    assert set(shares[0]) | set(shares[1]) == set(names)
    assert len({share[0] for share in shares}) == 100


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
