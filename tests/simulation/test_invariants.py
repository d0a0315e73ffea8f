"""Every invariant's checker, watched failing on the smallest moment that breaks it."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from lambdas.rollout.decision import Entry
from lambdas.rollout.state import Command, Phase, Rollout, State
from localcloud.simulation.boundary import Worker
from localcloud.simulation.invariants import INVARIANTS
from localcloud.simulation.moments import Asking, Ending, Passing, Writing
from localcloud.simulation.scenarios import SCENARIOS
from localcloud.simulation.schedule import Schedule
from localcloud.simulation.store import Write
from localcloud.simulation.trail import Trail
from localcloud.simulation.world import World


@cache
def _trail() -> Trail:
    return Trail(World(SCENARIOS["canary"]), Schedule("canary"))


def _world(phase: Phase, *, step: int = 0) -> World:
    """Return a world whose rollout has just reached a phase."""
    for snapshot in _trail().snapshots:
        world: World = snapshot.copy()
        rollout = world.state.rollout
        if rollout is not None and rollout.phase is phase and rollout.step == step:
            return world
    raise LookupError(phase)


def _rollout(world: World, **changes: Any) -> Rollout:
    assert world.state.rollout is not None
    return replace(world.state.rollout, **changes)


def _asking(world: World, name: str, *arguments: Any, **changes: Any) -> Asking:
    """Return a call by whoever holds the lease, with changes to the rollout that is durable."""
    worker = Worker("me", world.clock.now())
    rollout = _rollout(world, **changes) if world.state.rollout else None
    state = replace(world.state, rollout=rollout, lease_owner="me", lease_until=world.clock.now() + 30)
    return Asking(world.facts, worker, name, arguments, state, rollout)


def _writing(world: World, before: State, after: State, *entries: Entry, ended: Rollout | None = None) -> Writing:
    old, new = before.rollout, after.rollout
    worker = Worker("me", world.clock.now())
    write = Write(before, after, entries, ended or new, None)
    return Writing(world.facts, worker, write, before, after, old, new if old and new and old.id == new.id else None)


def _changing(world: World, before: dict[str, Any], after: dict[str, Any], **options: Any) -> Writing:
    """Return a write that changes the rollout."""
    state = world.state
    old = replace(state, rollout=_rollout(world, **before))
    return _writing(world, old, replace(state, rollout=_rollout(world, **{**before, **after})), **options)


def _ending(world: World, phase: Phase, **before: Any) -> Writing:
    old = replace(world.state, rollout=_rollout(world, **before))
    ended = _rollout(world, **{**before, "phase": phase})
    return _writing(world, old, replace(world.state, rollout=None), ended=ended)


def _weights(world: World, share: float) -> Asking:
    rollout = _rollout(world)
    return _asking(
        world, "endpoints.set_weights", "rain-local", {rollout.slot: share, rollout.stable_slot: 100 - share}
    )


def _two_rollouts() -> Writing:
    world = _world(Phase.BAKE)
    return _writing(world, world.state, replace(world.state, rollout=_rollout(world, id="another")))


def _abort_undone() -> Writing:
    return _changing(_world(Phase.BAKE), {"abort_reason": "worse", "phase": Phase.ROLLBACK}, {"phase": Phase.SHIFT})


def _increase_after_abort() -> Asking:
    world = _world(Phase.BAKE)
    return _asking(world, "endpoints.set_weights", "rain-local", {"green": 50.0, "blue": 50.0}, abort_reason="worse")


def _mutation_without_rollout() -> Asking:
    return _asking(_trail().end, "endpoints.update", "rain-local", "bootstrap")


def _rolled_back_with_weight() -> Writing:
    return _ending(_world(Phase.BAKE), Phase.ROLLED_BACK, abort_reason="worse")


def _promoted_with_little() -> Writing:
    return _ending(_world(Phase.BAKE), Phase.PROMOTED)


def _two_steps() -> Writing:
    return _changing(_world(Phase.BAKE), {}, {"step": 2})


def _bake_of_nothing() -> Writing:
    world = _world(Phase.BAKE)
    return _changing(world, {"verified_since": None}, {"verified_since": world.clock.now(), "step": 1})


def _short_bake() -> Writing:
    return _changing(_world(Phase.BAKE), {}, {"step": 1, "phase": Phase.SHIFT})


def _unintended_weight() -> Asking:
    return _weights(_world(Phase.BAKE), 50.0)


def _stranger() -> Asking:
    return replace(_weights(_world(Phase.BAKE), 10.0), worker=Worker("somebody", 0.0))


def _stolen_lease() -> Writing:
    world = _world(Phase.BAKE)
    held = replace(world.state, lease_owner="somebody", lease_until=world.clock.now() + 20)
    return _writing(world, held, replace(held, lease_owner="me"))


def _step_while_paused() -> Writing:
    return _changing(_world(Phase.BAKE), {"paused": True}, {"step": 1, "phase": Phase.SHIFT})


def _weight_while_paused() -> Asking:
    world = _world(Phase.BAKE)
    return _asking(world, "endpoints.set_weights", "rain-local", {"green": 50.0, "blue": 50.0}, paused=True)


def _lost_command() -> Writing:
    world = _world(Phase.BAKE)
    before = replace(world.state, commands=(Command("c1", "abort", 0.0, "ops"),))
    return _writing(world, before, replace(before, commands=()))


def _silent_command() -> Writing:
    world = _world(Phase.BAKE)
    return _writing(world, world.state, replace(world.state, seen=("c1",)))


def _forgotten() -> Passing:
    world = _world(Phase.BAKE)
    world.facts.looked_at -= 121
    return Passing(world.facts, world.state)


def _still_serving() -> Passing:
    world = _world(Phase.BAKE)
    world.alarms.since["green"] = world.clock.now() - 200
    return Passing(world.facts, world.state)


def _promoted_in_alarm() -> Writing:
    world = _world(Phase.SOAK, step=2)
    world.alarms.since["green"] = world.clock.now()
    return _ending(world, Phase.PROMOTED)


def _live_deleted() -> Asking:
    return _asking(_trail().end, "endpoints.delete", "config", _trail().end.state.live.config)


def _capacity_with_traffic() -> Asking:
    return _asking(_world(Phase.BAKE), "endpoints.set_capacity", "rain-local", "green", 3)


def _stuck() -> Ending:
    world = _world(Phase.BAKE)
    return Ending(world.facts, world.state, over=False)


def _wrong_version() -> Ending:
    world = _trail().end
    live = replace(world.state.live, version="bootstrap")
    return Ending(world.facts, replace(world.state, live=live), over=True)


BROKEN: dict[str, Callable[[], Any]] = {
    "one_rollout": _two_rollouts,
    "abort_is_monotonic": _abort_undone,
    "no_increase_after_abort": _increase_after_abort,
    "no_mutation_after_terminal": _mutation_without_rollout,
    "rolled_back_means_it": _rolled_back_with_weight,
    "promoted_means_it": _promoted_with_little,
    "one_step_at_a_time": _two_steps,
    "bake_is_of_a_verified_weight": _bake_of_nothing,
    "bake_is_complete": _short_bake,
    "intent_is_durable": _unintended_weight,
    "only_the_holder_acts": _stranger,
    "a_lease_is_not_taken_away": _stolen_lease,
    "paused_stands_still": _step_while_paused,
    "paused_gets_no_more_traffic": _weight_while_paused,
    "one_effect_each": _lost_command,
    "one_audit_entry_each": _silent_command,
    "active_is_looked_at": _forgotten,
    "alarm_takes_the_traffic_off": _still_serving,
    "alarm_is_never_promoted": _promoted_in_alarm,
    "nothing_needed_is_deleted": _live_deleted,
    "capacity_stays": _capacity_with_traffic,
    "it_ends_well": _stuck,
    "the_right_version_is_live": _wrong_version,
}

CHECKERS = {invariant.check.__name__: invariant for invariant in INVARIANTS}


def test_every_checker_is_watched_failing() -> None:
    assert set(BROKEN) == set(CHECKERS)


def test_all_fifteen_invariants_are_checked() -> None:
    assert {invariant.number for invariant in INVARIANTS} >= set(range(1, 16))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_moment_is_noticed(name: str) -> None:
    moment = BROKEN[name]()
    assert isinstance(moment, CHECKERS[name].moment)
    assert CHECKERS[name].check(moment)


def test_nothing_is_said_of_what_is_in_order() -> None:
    assert not _trail().end.violations


@pytest.mark.parametrize(
    ("name", "arguments", "changes"),
    [
        ("endpoints.update", ("rain-local", "another"), {}),
        ("endpoints.delete", ("config", "another"), {}),
        ("endpoints.set_capacity", ("rain-local", "green", 3), {}),
        ("autoscaling.keep", ("rain-local", "green", None), {"scaling": 1}),
        ("autoscaling.release", ("rain-local", "green"), {}),
        ("endpoints.rename", ("rain-local",), {}),
    ],
)
def test_no_call_is_made_without_its_intent(name: str, arguments: tuple[Any, ...], changes: dict[str, Any]) -> None:
    asking = _asking(_world(Phase.BAKE), name, *arguments)
    asking = replace(asking, state=replace(asking.state, **changes))
    assert CHECKERS["intent_is_durable"].check(asking)
