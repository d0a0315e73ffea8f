"""A sample of all schedules, the same every time: every invariant holds."""

from localcloud.simulation.explore import Tally, jobs_of, work_off
from localcloud.simulation.plans import ALL, QUICK
from localcloud.simulation.scenarios import SCENARIOS
from localcloud.simulation.schedule import Kind


def test_every_invariant_holds() -> None:
    tally = Tally()
    for plan in QUICK:
        for job in jobs_of(plan):
            tally.add(work_off(job))
    assert [f"{violation}: {schedule}" for schedule, violation in tally.found] == []
    assert tally.schedules > 1000
    assert {kind.value for kind in Kind} <= set(tally.by_kind)


def test_every_scenario_is_run() -> None:
    assert [plan.scenario for plan in ALL] == list(SCENARIOS)
