"""The simulator itself: that it is exact, that faults do what they say, and that the engine's errors are not hidden."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout import items
from lambdas.rollout.errors import ConflictError, RetryableError, TimedOutError
from lambdas.rollout.state import State
from localcloud.clock import VirtualClock
from localcloud.simulation.boundary import WORKER_SECONDS, Boundary, Worker
from localcloud.simulation.explore import base_of
from localcloud.simulation.faults import KilledError, can_strike
from localcloud.simulation.scenarios import NAME, SCENARIOS
from localcloud.simulation.schedule import Fault, Kind, Order, Schedule
from localcloud.simulation.store import MemoryStore
from localcloud.simulation.trail import Trail, run
from localcloud.simulation.world import World


def _outcome(world: World) -> tuple[Any, ...]:
    return world.boundary.calls, world.seconds, [entry.text for entry in world.store.audit], world.violations


SCHEDULES = [
    Schedule("canary", faults=(Fault(Kind.CRASH_AFTER, 60),)),
    Schedule("canary", faults=(Fault(Kind.VERY_LATE, 71),)),
    Schedule("canary", alarm_at=61.3, faults=(Fault(Kind.STALL, 150),)),
    Schedule("canary", alarm_at=48.0, faults=(Fault(Kind.LOST, 20),)),
    Schedule("canary", alarm_at=48.0, orders=(Order("pause", 30.0), Order("resume", 90.0))),
    Schedule("shadow", alarm_at=30.0, faults=(Fault(Kind.HANG, 90),)),
    Schedule("canary", lost=("events", "timers")),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_a_run_that_leaves_a_trail_is_the_same_as_one_from_the_start(schedule: Schedule) -> None:
    left = base_of(schedule.scenario).leave(schedule)
    left.run()
    assert _outcome(left) == _outcome(run(schedule))


def test_a_run_that_leaves_an_alarms_trail_is_the_same_as_one_from_the_start() -> None:
    alarmed = Schedule("canary", alarm_at=61.3)
    trail = Trail(base_of("canary").leave(alarmed), alarmed)
    later = next(made.number for made in trail.calls if made.at > 61.5)
    both = replace(alarmed, faults=(Fault(Kind.CRASH_BEFORE, later),))
    left = trail.leave(both)
    left.run()
    assert _outcome(left) == _outcome(run(both))


def test_leaving_a_trail_does_not_change_it() -> None:
    before = _outcome(base_of("canary").end)
    base_of("canary").leave(Schedule("canary", alarm_at=61.3)).run()
    assert _outcome(base_of("canary").end) == before
    assert _outcome(base_of("canary").leave(Schedule("canary"))) != before


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_written_reads_back_as_it_was(name: str) -> None:
    world = World(SCENARIOS[name])
    for _ in world.steps():
        # By way of JSON, as the table has it.
        form = json.loads(json.dumps(items.state_item(world.state)))
        assert items.read_state(form) == world.state
    assert world.over
    assert not world.violations


def test_the_table_takes_only_what_follows_on_what_was_read() -> None:
    world = World(SCENARIOS["canary"])
    store: MemoryStore = world.store
    state = store.load(NAME)
    assert isinstance(state, State)
    store.save(state, now=0.0)
    with pytest.raises(ConflictError):
        store.save(state, now=0.0)


class _Effects:
    """Counts effects, and watches nothing."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        world = World(SCENARIOS["canary"])
        self.boundary = Boundary(self.clock, world.cloud.sagemaker.faults, self)
        self.boundary.worker = Worker("me", self.clock.now())
        self.count = 0

    def asked(self, worker: Worker, name: str, arguments: tuple[Any, ...]) -> None:
        pass

    def answered(self, worker: Worker, name: str) -> None:
        pass

    def struck(self, worker: Worker, name: str, fault: Fault, until: float) -> None:
        pass

    def call(self, kind: Kind) -> None:
        self.boundary.arm((Fault(kind, 1),))
        self.boundary.call("endpoints.update", self._add)

    def _add(self) -> None:
        self.count += 1


@pytest.mark.parametrize(
    ("kind", "error", "at_once", "in_the_end"),
    [
        (Kind.CRASH_BEFORE, KilledError, 0, 0),
        (Kind.CRASH_AFTER, KilledError, 1, 1),
        (Kind.ERROR_AFTER, TimedOutError, 1, 1),
        (Kind.LATE, TimedOutError, 0, 1),
        (Kind.VERY_LATE, TimedOutError, 0, 1),
        (Kind.THROTTLE, RetryableError, 0, 0),
        (Kind.HANG, KilledError, 0, 0),
    ],
)
def test_a_fault_does_what_it_says(kind: Kind, error: type[BaseException], at_once: int, in_the_end: int) -> None:
    effects = _Effects()
    with pytest.raises(error):
        effects.call(kind)
    assert effects.count == at_once
    effects.clock.advance(60.0)
    assert effects.count == in_the_end


def test_a_stall_takes_effect_at_its_end() -> None:
    effects = _Effects()
    began = effects.clock.now()
    effects.call(Kind.STALL)
    assert effects.count == 1
    assert effects.clock.now() - began > 3


def test_a_worker_is_killed_at_its_time_out() -> None:
    effects = _Effects()
    effects.clock.advance(WORKER_SECONDS)
    with pytest.raises(KilledError):
        effects.call(Kind.STALL)


def test_reads_have_no_effect_that_could_be_lost() -> None:
    assert not can_strike(Kind.CRASH_AFTER, "endpoints.describe")
    assert not can_strike(Kind.NO_CAPACITY, "endpoints.set_weights")
    assert can_strike(Kind.LATE, "store.save")


def test_an_error_that_nobody_foresaw_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("oops")

    monkeypatch.setattr("lambdas.rollout.engine.reconcile", fail)
    world = run(Schedule("canary"))
    assert [violation.number for violation in world.violations] == [0]
    assert "oops" in str(world.violations[0])


def test_a_schedule_survives_being_written_down() -> None:
    for schedule in SCHEDULES:
        assert Schedule.from_dict(json.loads(json.dumps(schedule.to_dict()))) == schedule
