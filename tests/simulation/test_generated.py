"""Schedules that Hypothesis makes up: several faults at once, and whatever operators may send meanwhile."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud.simulation.explore import base_of
from localcloud.simulation.scenarios import BETTER, GOOD
from localcloud.simulation.schedule import OF_EVENTS, Fault, Kind, Order, Schedule
from localcloud.simulation.trail import run

SCENARIOS = ("canary", "shadow", "gates", "restart", "share", "all-at-once")
LAST_CALL, LAST_EVENT, LAST_SECOND = 320, 60, 150

_calls = st.builds(Fault, st.sampled_from([kind for kind in Kind if kind not in OF_EVENTS]), st.integers(5, LAST_CALL))
_events = st.builds(Fault, st.sampled_from(sorted(OF_EVENTS)), st.integers(1, LAST_EVENT))
_times = st.integers(0, LAST_SECOND * 100).map(lambda hundredths: hundredths / 100 + 0.003)
_commands = st.builds(
    Order, st.sampled_from(["abort", "pause", "resume", "promote", "approve", "retry", "freeze", "unfreeze"]), _times
)
_targeted = st.one_of(
    st.builds(Order, st.just("promote"), _times, st.just("full")),
    st.builds(Order, st.just("rollback"), _times, st.sampled_from(["", "bootstrap", GOOD, "9.9.9"])),
    st.builds(Order, st.sampled_from(["approve version", "reject version"]), _times, st.sampled_from([GOOD, BETTER])),
)
_orders = st.lists(st.one_of(_commands, _targeted), max_size=5, unique_by=lambda order: order.at)


@st.composite
def schedules(draw: st.DrawFn, orders: st.SearchStrategy[list[Order]]) -> Schedule:
    """Return schedules with some faults, perhaps an alarm, and orders."""
    faults = draw(st.lists(st.one_of(_calls, _events), max_size=4, unique_by=lambda fault: fault.at))
    alarm_at = draw(st.none() | _times.map(lambda at: at + 0.001))
    lost = draw(st.sampled_from([(), (), (), ("events",), ("timers",)]))
    scenario = draw(st.sampled_from(SCENARIOS))
    return Schedule(scenario, alarm_at, tuple(faults), tuple(draw(orders)), lost)


_QUICK = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


@_QUICK
@given(schedules(st.just([])))
def test_every_invariant_holds_under_several_faults(schedule: Schedule) -> None:
    assert run(schedule).violations == [], str(schedule)


@_QUICK
@given(schedules(_orders))
def test_every_invariant_holds_whatever_operators_send(schedule: Schedule) -> None:
    assert run(schedule).violations == [], str(schedule)


def test_faults_strike_where_there_are_calls() -> None:
    assert max(base_of(name).end.boundary.calls for name in SCENARIOS) >= LAST_CALL
