"""A run with a snapshot before everything that happened, so that variations begin where they differ."""

from bisect import bisect_left
from dataclasses import dataclass

from lambdas.rollout.ports import Ports
from localcloud.simulation.scenarios import SCENARIOS
from localcloud.simulation.schedule import OF_EVENTS, Schedule
from localcloud.simulation.snapshot import Snapshot
from localcloud.simulation.world import World


@dataclass(frozen=True)
class Made:
    """A call that was made: its number, its name, and how many seconds after the start."""

    number: int
    name: str
    at: float


class Trail:
    """One run, and the ways to leave it.

    Parameters
    ----------
    world
        Runs until it is over.
    schedule
        What the run is of.
    length
        How many calls it can be left at; None for all.
    """

    def __init__(self, world: World, schedule: Schedule, length: int | None = None) -> None:
        self.schedule = schedule
        self._last = world.boundary.calls + length if length is not None else None
        self.calls: list[Made] = []
        self.events: list[tuple[int, float]] = []
        self.snapshots: list[Snapshot] = []
        self._calls_before: list[int] = []
        self._events_before: list[int] = []
        self._seconds_before: list[float] = []
        self.end = self._go(world)

    def _go(self, world: World) -> World:
        world.boundary.tap = lambda number, name: self.calls.append(Made(number, name, world.seconds))
        for _ in world.steps():
            if self._last is not None and world.boundary.calls > self._last:
                continue
            self.snapshots.append(Snapshot(world, copied=(Ports,)))
            self._calls_before.append(world.boundary.calls)
            self._events_before.append(world.deliveries.count)
            self._seconds_before.append(world.seconds)
        events = range(self._events_before[0] + 1, self._events_before[-1] + 1)
        self.events = [
            (number, self._seconds_before[bisect_left(self._events_before, number) - 1]) for number in events
        ]
        return world

    def leave(self, schedule: Schedule) -> World:
        """Return the world just before this schedule differs from the trail's own, with all of it still to come."""
        base = self.schedule
        indices = [
            bisect_left(self._events_before if fault.kind in OF_EVENTS else self._calls_before, fault.at)
            for fault in schedule.faults
            if fault not in base.faults
        ]
        times = [order.at for order in schedule.orders if order not in base.orders]
        times += [schedule.alarm_at] if schedule.alarm_at is not None and schedule.alarm_at != base.alarm_at else []
        indices += [bisect_left(self._seconds_before, at) for at in times]
        world: World = self.snapshots[max(min(indices, default=0) - 1, 0)].copy()
        world.inject(schedule, since=base)
        return world


def trail_of(schedule: Schedule) -> Trail:
    """Run a schedule from the start."""
    world = World(SCENARIOS[schedule.scenario])
    world.inject(schedule)
    return Trail(world, schedule)


def run(schedule: Schedule) -> World:
    """Run a schedule from the start, and return how the world is then."""
    world = World(SCENARIOS[schedule.scenario])
    world.inject(schedule)
    world.run()
    return world
