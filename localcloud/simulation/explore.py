"""Enumeration: alarms, faults at the calls near them and on the way back, and every kind that makes a difference there.

Enumerated fully are the kinds, and the calls and events that they strike: of a run without an alarm all of them, of one
with an alarm those just before and after it, and those that begin the way back. Of these schedules, every one with the
alarm alone and every one with a kind that few calls know is run, and of the rest a fixed sample: a `Plan` says after
which calls alarms come, and one schedule of how many is run. The choice is made by checksum, the same every time.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache

from localcloud.simulation.faults import can_strike
from localcloud.simulation.judge import Violation
from localcloud.simulation.schedule import OF_EVENTS, Fault, Kind, Schedule
from localcloud.simulation.trail import Made, Trail, trail_of

JUST_AFTER = 0.01
"""An alarm falls between two calls."""

_QUIET_PARTS = 8
_RARE = frozenset({Kind.UPDATE_FAILS, Kind.NO_CAPACITY, Kind.SLOW_UPDATE})
"""Kinds that can strike a few calls only, so that no sample leaves them out."""

_TO_THE_ALARM, _WAY_BACK = 40, 40
"""Calls from the last snapshot to the alarm, and from there through the way back, at the most."""

_TURNS_BACK = frozenset({"endpoints.set_weights", "endpoints.update", "store.save"})
_OF_THE_WAY_BACK = 8
"""So many of these calls, after those next to the alarm, are struck as well."""


@dataclass(frozen=True)
class Plan:
    """What is enumerated of one scenario.

    Parameters
    ----------
    scenario
        The base.
    every
        An alarm comes after every so many calls.
    before, after
        How many calls before and after the alarm faults strike.
    sample
        Of so many schedules with an alarm, one is run; the same ones every time.
    way_back_sample
        The same for those whose fault strikes ROLLBACK or RESTORE.
    quiet_sample
        The same for schedules without an alarm, whose faults strike at every call; they take longer.
    """

    scenario: str
    every: int = 1
    before: int = 2
    after: int = 6
    sample: int = 1
    way_back_sample: int = 16
    quiet_sample: int = 1


@dataclass(frozen=True)
class Job:
    """A part of a plan that is run in one go: the schedules around one alarm, or some of those without an alarm."""

    plan: Plan
    alarm_at: float | None = None
    part: int = 0


@dataclass
class Tally:
    """What came out."""

    schedules: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    seconds: float = 0.0
    found: list[tuple[Schedule, Violation]] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add another tally."""
        self.schedules += other.schedules
        self.by_kind += other.by_kind
        self.calls += other.calls
        self.seconds += other.seconds
        self.found += other.found


@cache
def base_of(scenario: str) -> Trail:
    """Return the run of a scenario with nothing injected."""
    return trail_of(Schedule(scenario))


def jobs_of(plan: Plan) -> Iterator[Job]:
    """Return the parts of a plan."""
    for part in range(_QUIET_PARTS):
        yield Job(plan, part=part)
    for made in base_of(plan.scenario).calls[:: plan.every]:
        yield Job(plan, made.at + JUST_AFTER)


def first_violations(plans: Iterable[Plan]) -> tuple[Schedule, list[Violation]]:
    """Return the first schedule that breaks an invariant, and all that it breaks.

    Raises
    ------
    LookupError
        When none does.
    """
    for plan in plans:
        for job in jobs_of(plan):
            found = work_off(job).found
            if found:
                schedule = found[0][0]
                return schedule, [violation for of, violation in found if of == schedule]
    raise LookupError("every invariant holds")


def work_off(job: Job) -> Tally:
    """Run all schedules of a job."""
    tally, plan, base = Tally(), job.plan, base_of(job.plan.scenario)
    if job.alarm_at is None:
        for schedule in _quiet(base, job):
            _run(base, schedule, tally)
        return tally
    alarmed = Schedule(plan.scenario, alarm_at=job.alarm_at)
    trail = Trail(base.leave(alarmed), alarmed, _TO_THE_ALARM + plan.after + _WAY_BACK)
    _count(trail.end.violations, alarmed, tally)
    for schedule in _sampled(_before(base, job), plan.sample):
        _run(base, schedule, tally)
    for schedule in _sampled(_after(trail, job), plan.sample):
        _run(trail, schedule, tally)
    for schedule in _chosen(_on_the_way_back(trail, job), plan.way_back_sample):
        _run(trail, schedule, tally)
    return tally


def _quiet(base: Trail, job: Job) -> Iterator[Schedule]:
    yield from _quiet_faults(job.plan)[job.part :: _QUIET_PARTS]
    if job.part == 0:
        yield from (replace(base.schedule, lost=lost) for lost in (("events",), ("timers",), ("events", "timers")))


@cache
def _quiet_faults(plan: Plan) -> list[Schedule]:
    base = base_of(plan.scenario)
    return list(_sampled(_around(base, base.calls, base.events), plan.quiet_sample))


def _before(base: Trail, job: Job) -> Iterator[Schedule]:
    calls = [made for made in base.calls if made.at < (job.alarm_at or 0.0)]
    near = calls[-job.plan.before :] if job.plan.before else []
    return (replace(each, alarm_at=job.alarm_at) for each in _around(base, near, []))


def _after(trail: Trail, job: Job) -> Iterator[Schedule]:
    calls = _since_alarm(trail, job)[: job.plan.after]
    if not calls:
        return iter(())
    events = [(number, at) for number, at in trail.events if calls[0].at <= at <= calls[-1].at]
    return _around(trail, calls, events)


def _on_the_way_back(trail: Trail, job: Job) -> Iterator[Schedule]:
    later = [made for made in _since_alarm(trail, job)[job.plan.after :] if made.name in _TURNS_BACK]
    return _around(trail, later[:_OF_THE_WAY_BACK], [])


def _since_alarm(trail: Trail, job: Job) -> list[Made]:
    return [made for made in trail.calls if made.at >= (job.alarm_at or 0.0)]


def _around(trail: Trail, calls: list[Made], events: list[tuple[int, float]]) -> Iterator[Schedule]:
    for made in calls:
        for kind in Kind:
            if kind not in OF_EVENTS and can_strike(kind, made.name):
                yield replace(trail.schedule, faults=(Fault(kind, made.number),))
    for number, _ in events:
        for kind in OF_EVENTS:
            yield replace(trail.schedule, faults=(Fault(kind, number),))


def _sampled(schedules: Iterator[Schedule], share: int) -> Iterator[Schedule]:
    return (each for each in schedules if _is_rare(each) or _is_chosen(each, share))


def _chosen(schedules: Iterator[Schedule], share: int) -> Iterator[Schedule]:
    return (each for each in schedules if _is_chosen(each, share))


def _is_chosen(schedule: Schedule, share: int) -> bool:
    return share == 1 or zlib.crc32(str(schedule).encode()) % share == 0


def _is_rare(schedule: Schedule) -> bool:
    return any(fault.kind in _RARE for fault in schedule.faults)


def _run(trail: Trail, schedule: Schedule, tally: Tally) -> None:
    world = trail.leave(schedule)
    calls, seconds = world.boundary.calls, world.seconds
    world.run()
    tally.calls += world.boundary.calls - calls
    tally.seconds += world.seconds - seconds
    tally.schedules += 1
    for name in (*(fault.kind.value for fault in schedule.faults), *(f"all {what} lost" for what in schedule.lost)):
        tally.by_kind[name] += 1
    tally.found += [(schedule, violation) for violation in world.violations]


def _count(violations: list[Violation], schedule: Schedule, tally: Tally) -> None:
    tally.schedules += 1
    tally.by_kind["alarm alone"] += 1
    tally.found += [(schedule, violation) for violation in violations]
