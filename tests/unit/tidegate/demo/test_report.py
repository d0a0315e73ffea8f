from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tidegate.demo import report


def test_a_run_that_went_as_it_should_passes_every_criterion(run: Any) -> None:
    assert run.failed_checks() == []
    assert run.report()["passed"] is True


def test_rollouts_say_what_was_seen(run: Any) -> None:
    good, bad, wrong = run.report()["rollouts"]
    assert (good["version"], good["outcome"]) == ("1.1.0", "PROMOTED")
    assert [weight for _, weight in good["weights"]] == [0, 10, 50, 100]
    assert good["alarm_at"] is None
    assert good["canary_failed_requests"] == good["canary_failed_on_purpose"] == 2
    assert (bad["version"], bad["outcome"], bad["reason"]) == ("1.2.0", "ROLLED_BACK", "blue alarm")
    assert [weight for _, weight in bad["weights"]] == [0, 10, 0]
    assert bad["alarm_at"] == 134.0
    assert bad["zero_weight_at"] == pytest.approx(136.504)
    assert bad["to_zero_seconds"] == pytest.approx(2.504)
    assert 0 < bad["canary_failed_requests"] == bad["failed_requests"] < bad["canary_requests"] < bad["requests"]
    assert (wrong["version"], wrong["outcome"], wrong["alarm_at"]) == ("1.3.0", "ROLLED_BACK", None)
    assert wrong["aborted_at"] == 178.0
    assert wrong["to_zero_seconds"] == pytest.approx(2.004)
    assert wrong["canary_failed_requests"] == 0 < wrong["canary_requests"]


def test_rollouts_say_what_the_judge_said_of_them(run: Any) -> None:
    good, bad, wrong = (rollout["judge"] for rollout in run.report()["rollouts"])
    assert [(said["t"], said["verdict"]) for said in good] == [(41.0, ""), (42.0, "promote")]
    assert good[0]["text"].startswith("Not going on at 10 %")
    assert good[1]["findings"] == {"5xx": "5xx 2/152 vs 0/684, evidence that it is not worse 31:1"}
    assert bad == []
    assert [(said["t"], said["verdict"]) for said in wrong] == [(178.0, "rollback")]


def test_a_slot_that_two_versions_used_is_told_apart(run: Any) -> None:
    by_version = run.report()["traffic"]["by_version"]
    assert set(by_version) == {"1.0.0", "1.1.0", "1.2.0", "1.3.0"}
    blue = sum(1 for request in run.seen.requests if request.variant == "blue")
    assert sum(by_version[version]["requests"] for version in ("1.0.0", "1.2.0", "1.3.0")) == blue


def test_traffic_adds_up(run: Any) -> None:
    traffic = run.report()["traffic"]
    assert traffic["sent"] == len(run.seen.requests) == traffic["answered"] + traffic["failed"]
    assert traffic["failed_on_purpose"] == traffic["by_version"]["1.1.0"]["failed_on_purpose"] == 2
    by_bad = traffic["failed"] - 2
    assert traffic["failed_by_version_and_kind"] == {"1.1.0": {"ModelError": 2}, "1.2.0": {"ModelError": by_bad}}
    assert 0 < traffic["p50_ms"] < traffic["p99_ms"]


def test_events_are_in_order_and_name_every_turn(run: Any) -> None:
    events = run.report()["events"]
    kinds = [event["kind"] for event in events]
    good = ["approved", "step", "bad_luck", "bad_luck", "step", "step", "promoted"]
    assert kinds == [
        *good,
        *("approved", "step", "alarm", "zero", "rolled_back"),
        *("approved", "step", "judge", "zero", "rolled_back"),
    ]


def test_an_approval_that_no_rollout_follows_is_said(run: Any) -> None:
    run.seen.rollouts = run.seen.rollouts[:1]
    assert run.report()["rollouts"][1]["outcome"] == "NOT_SEEN"
    assert "1.2.0 ends ROLLED_BACK" in run.failed_checks()


def test_an_alarm_of_an_earlier_run_does_not_count(run: Any) -> None:
    run.seen.alarms = [alarm for alarm in run.seen.alarms if alarm.state != "ALARM"]
    assert run.report()["rollouts"][1]["alarm_at"] is None
    assert "from the alarm of 1.2.0 to zero weight within 30 s" in run.failed_checks()


def test_the_files_hold_the_report_and_every_request(run: Any, tmp_path: Path) -> None:
    written = report.write(tmp_path, run.report(), run.seen)
    assert json.loads(written.read_text()) == json.loads(json.dumps(run.report()))
    with (tmp_path / report.REQUESTS_NAME).open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(run.seen.requests)
    dots = report.read_dots(tmp_path)
    assert sum(dot.failed for dot in dots) == run.report()["traffic"]["failed"]
