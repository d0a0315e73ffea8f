"""A run too short for the goals says so wherever its numbers stand."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench import machine
from bench.serving import __main__ as command
from bench.serving import goals, report
from bench.serving.matrix import Findings, Plan
from bench.serving.rows import Bound, Row, Sample, summarise
from bench.serving.servers import CONTAINER

BOUND = Bound(best_batch=64, batch_s=0.010, single_s=0.002, rps=6400.0, load_s=0.1)


def row() -> Row:
    taken = [Sample(rps=1234.0, p50_s=1e-3, p99_s=2e-3, ratio_to_raw=0.5, cpu_s=1e-4, generator_busy=0.1)]
    return summarise(taken, server=CONTAINER, model="tiny", format_="json", clients=1, cold_s=1.0, rss_bytes=1)


@pytest.mark.parametrize(
    ("plan", "is_indicative"),
    [
        (Plan(servers=()), False),
        (Plan(servers=(), rounds=5, seconds=2.0, clients=(64,)), False),
        (Plan(servers=(), rounds=2), True),
        (Plan(servers=(), seconds=0.4), True),
    ],
)
def test_fewer_or_shorter_turns_only_indicate(plan: Plan, is_indicative: bool) -> None:
    assert plan.is_indicative is is_indicative


def test_a_quick_run_only_indicates() -> None:
    assert command._plan(command._parser().parse_args(["--quick"])).is_indicative
    assert not command._plan(command._parser().parse_args([])).is_indicative


@pytest.mark.parametrize("is_indicative", [True, False])
def test_the_mark_is_on_every_table_and_in_every_file(tmp_path: Path, is_indicative: bool) -> None:
    findings = Findings(rows=[row()], bounds={"tiny": BOUND}, is_indicative=is_indicative)
    judged, there = goals.judge(findings.rows, findings.bounds), machine.look()
    console = Console(file=StringIO(), width=200)

    report.show(console, findings, judged, there, 60.0)
    command._save(tmp_path, findings, judged, there, 60.0, console)

    printed = console.file.getvalue()  # type: ignore[attr-defined]
    for title in ("One core for each server", "The models alone", "Goals: "):
        (line,) = [each for each in printed.splitlines() if each.startswith(title)]
        assert ("indicative: short, not for the goals" in line) is is_indicative
    assert json.loads((tmp_path / "serving-details.json").read_text())["indicative"] is is_indicative
    assert [each.get("indicative", False) for each in json.loads((tmp_path / "serving.json").read_text())] == [
        is_indicative
    ]
    assert ("not for the goals" in (tmp_path / "serving.svg").read_text()) is is_indicative
