"""A sample of all schedules, the same every time: every invariant holds."""

import pytest

from localcloud.simulation import __main__ as command
from localcloud.simulation.ends import described
from localcloud.simulation.explore import Tally, base_of, jobs_of, work_off
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


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_ends_as_it_says(name: str) -> None:
    world = base_of(name).end
    live = world.state.live
    assert (described(live.version, live.fleet), world.facts.outcomes) == (
        world.scenario.end.live,
        world.scenario.end.outcomes,
    )


@pytest.mark.parametrize(("arguments", "code"), [([], 1), (["--quick"], 0), (["--scenario", "broken"], 0)])
def test_a_full_run_of_too_few_schedules_fails(
    arguments: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_run", lambda *_: Tally(schedules=19_999))
    assert command.main(arguments) == code
    assert ("at least 20,000 schedules, and this one had 19,999" in capsys.readouterr().out) == bool(code)


def test_every_scenario_is_run() -> None:
    assert [plan.scenario for plan in ALL] == list(SCENARIOS)
