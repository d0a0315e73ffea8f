"""What the front door's benchmark makes of what it has seen, and the page that it writes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bench.comparison import Comparison
from bench.drift.goals import Goal
from bench.drift.measurement import Measurement
from bench.front_door import batches, caching, report, rollouts, starts
from bench.front_door.rollouts import Run
from bench.machine import Machine
from tests.unit.bench.front_door.test_requests import failure, request
from tidegate.rollouts import AuditEntry, Rollout

MACHINE = Machine(2, "3.11", "Linux", 3.0)
FOUND: Mapping[str, Any] = {
    "rows": 1000,
    "objects": 20,
    "input_bytes": 1_000_000,
    "output_bytes": 2_000_000,
    "jobs": 2,
    "seconds": 4.0,
    "answered_before": 10,
    "server_bytes": 100 << 20,
    "worker_growth": 5 << 20,
}


def at(second: int) -> str:
    return f"1970-01-01T00:00:{second:02d}+00:00"


def rollout(name: str, began: int, ended: int, outcome: str) -> Rollout:
    return Rollout(name, "rollout", name, "green", "", outcome, "", at(began), at(ended))


def weight(name: str, second: int, percent: float) -> AuditEntry:
    return AuditEntry(f"AUDIT#{second}", at(second), name, "", "weight", "", {"weight": percent})


def a_run() -> Run:
    audit = [weight("good", 10, 0), weight("good", 12, 10), weight("good", 20, 100), weight("bad", 42, 10)]
    seen = [request(float(second)) for second in range(60)]
    return Run(
        0.0,
        seen,
        [request(each.due, ms=5) for each in seen],
        handed_out=120,
        ended=60.0,
        good=rollout("good", 10, 30, "PROMOTED"),
        bad=rollout("bad", 40, 50, "ROLLED_BACK"),
        audit=[*audit, weight("bad", 45, 0)],
    )


def goal(found: Measurement, name: str) -> Goal:
    (only,) = [each for each in found.goals if each.name.startswith(name)]
    return only


def test_phases_are_those_of_the_audit_trail() -> None:
    assert [(each.name, each.since) for each in rollouts.phases_of(a_run())] == [
        ("the first version alone", 0),
        ("good is started", 10),
        ("good has 10 %", 12),
        ("good has 100 %", 20),
        ("good alone", 30),
        ("bad is started", 40),
        ("bad has 10 %", 42),
        ("bad has gone", 50),
    ]


def test_a_run_without_failures_meets_its_goals() -> None:
    found = rollouts.measured(a_run())
    assert all(each.met for each in found.goals)
    assert found.rows[-1][-1] == "5.0 / 5.0"


def test_the_bad_versions_failures_count_as_not_answered_only() -> None:
    run = a_run()
    run.through[43] = failure(43.0)
    found = rollouts.measured(run)
    assert goal(found, "failures that no model").met
    assert not goal(found, "requests answered").met


@pytest.mark.parametrize("stream", ["through", "direct"])
def test_a_failure_of_ours_is_listed_whichever_way_it_went(stream: str) -> None:
    run = a_run()
    getattr(run, stream)[5] = failure(5.0, kind="unavailable", model_status=None, detail="gone")
    found = rollouts.measured(run)
    assert not goal(found, "failures that no model").met
    assert "1 x unavailable (status 502): gone" in goal(found, "failures that no model").why


def test_a_bad_version_that_is_promoted_misses_the_goal() -> None:
    run = a_run()
    run.bad = replace(run.bad or rollout("bad", 40, 50, ""), outcome="PROMOTED")
    assert not goal(rollouts.measured(run), "the good version").met


def test_a_first_request_is_judged_by_a_cold_start() -> None:
    found = starts.measured([(30.0, 10.0)], [(100.0, 10.0)], [request()], 0)
    assert goal(found, "first request").got == "0.30 times"
    assert not goal(found, "first request").met
    assert goal(found, "requests that met").met


@pytest.mark.parametrize(("seen", "spilled"), [(request(), 1), (failure(1.0), 0)])
def test_while_the_alias_moves_nobody_waits_for_a_start_or_fails(seen: Any, spilled: int) -> None:
    found = starts.measured([(10.0, 10.0)], [(100.0, 10.0)], [seen], spilled)
    assert not goal(found, "requests that met").met


def test_the_import_is_judged_by_the_processors_time() -> None:
    details = {"function": 115.0, "boto3": 100.0}
    common = {"group": "", "subject": "", "peer": "", "meaning": "", "details": details}
    wall = Comparison(style="multiple", rounds=[2.0], **common)  # type: ignore[arg-type]
    process = Comparison(style="multiple", rounds=[1.1], **common)  # type: ignore[arg-type]
    assert starts.imports([wall, process]).goals[0].met
    assert not starts.imports([process, wall]).goals[0].met


def test_a_hit_is_compared_block_by_block() -> None:
    taken = caching.Taken(1, {caching.HIT: [1.0] * 10 + [9.0] * 10, caching.OFF: [2.0] * 10 + [3.0] * 10})
    assert taken.ratios(caching.HIT, caching.OFF) == [0.5, 3.0]


@pytest.mark.parametrize(
    ("changed", "met"),
    [({}, [True, True]), ({"jobs": 1}, [False, True]), ({"server_bytes": 300 << 20}, [True, False])],
)
def test_a_batch_is_resumed_in_bounded_memory(changed: Mapping[str, int], met: list[bool]) -> None:
    assert [each.met for each in batches.measurement({**FOUND, **changed}).goals] == met


def test_rows_a_second_count_from_the_order() -> None:
    assert ["rows a second", "250"] in batches.measurement(FOUND).rows


def test_the_page_tells_the_load_and_what_was_missed() -> None:
    goals = [Goal("a", "1", "1", True, "unsaid"), Goal("b", "1", "2", False, "because"), Goal("c", "1", "3", False)]
    text = report.page([Measurement("Part", ["x"], [["y"]], goals, ["A note."])], MACHINE, 120.0, 9.5)
    assert "3.0 before it, 9.5 at most" in text
    assert "1 of 3 goals met" in text
    assert "| a | 1 | 1 | met |" in text
    assert "| b | 1 | 2 | **missed**: because |" in text
    assert "| c | 1 | 3 | **missed** |" in text
    assert "## Part\n\n| x |\n| --- |\n| y |\n\nA note.\n" in text
