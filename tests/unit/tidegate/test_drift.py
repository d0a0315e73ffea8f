"""drift: what the windows' table says, with ways out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambdas.monitoring.times import compact, epoch, minute, stamp
from tests.unit.tidegate.conftest import BUCKET, MONITORING_TABLE, Account
from tidegate import cli
from tidegate.commands import context as surroundings

Run = Callable[..., int]
START = epoch("2026-11-22T03:00:00Z")
HOUR = 3600.0
FINDING = {"kind": "data_drift", "severity": "severe", "subject": "dew_point", "text": "PSI is 5.70."}


@pytest.fixture
def run(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return what runs a command line against the account, in which drift is watched."""
    monkeypatch.setattr(surroundings, "open_environment", lambda _: account.aws)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    account.declare("monitoring")
    account.dynamodb.put_into(MONITORING_TABLE, {"pk": "ENDPOINT#rain-local", "sk": "CURSOR", "next": int(START)})
    return lambda *argv: cli.main(["drift", *argv])


def put(account: Account, number: int = 0, page: bool = True, **changes: Any) -> str:
    """Put a window where the monitor puts it; return the S3 folder of its files."""
    start = START + number * HOUR
    folder = f"s3://{BUCKET}/monitoring/rain-local/{compact(start)}"
    summary = {"severity": "severe", "rows": 1460, "drifted": ["wind", "dew_point"], "severe": ["dew_point"]}
    summary |= {"psi": {"dew_point": 5.7, "wind": 0.04, "visibility": 0.0}, "model_version": "2.0.0"}
    item = {
        "pk": "ENDPOINT#rain-local",
        "sk": f"WINDOW#{compact(start)}",
        "window": minute(start),
        "start": stamp(start),
        "end": stamp(start + HOUR),
        "status": "assessed",
        "look": "first",
        "report": f"{folder}/{'report.html' if page else 'assessment.json'}",
        "summary": {**summary, "accuracy": None, "estimated_accuracy": 0.5813, **changes.pop("summary", {})},
        "findings": [FINDING],
        **changes,
    }
    account.dynamodb.put_into(MONITORING_TABLE, item)
    return folder


def shown(run: Run, capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert run(*argv, "-o", "json") == 0
    return json.loads(capsys.readouterr().out)


def test_the_windows_are_listed_with_what_drifted(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    put(account)
    put(account, 1, summary={"severity": "none", "drifted": [], "severe": [], "accuracy": 0.75})
    first, second = shown(run, capsys)["windows"]
    assert (first["window"], first["severity"], first["rows"]) == ("2026-11-22T03:00Z", "severe", 1460)
    assert first["psi"]["dew_point"] == 5.7
    assert (first["accuracy"], first["estimated_accuracy"], second["accuracy"]) == (None, 0.5813, 0.75)
    assert run() == 0
    table = capsys.readouterr().out
    assert "dew_point 5.70, wind 0.04" in table
    assert "58.1 %" in table
    assert "75.0 %" in table
    assert [each["window"] for each in shown(run, capsys, "--limit", "1")["windows"]] == ["2026-11-22T04:00Z"]


def test_before_any_window_it_says_when_the_first_is_due(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shown(run, capsys)
    assert (found["monitored"], found["windows"]) == (True, [])
    assert found["next_window"] == "2026-11-22T03:00:00+00:00"
    assert found["next_due"] == "2026-11-22T04:10:02+00:00"
    assert run() == 0
    said = capsys.readouterr().out
    assert "no window of rain-local has been looked at yet" in said
    assert "the next window, from" in said


def test_before_the_monitor_s_first_run_the_present_window_is_next(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    account.dynamodb.others[MONITORING_TABLE].clear()
    found = shown(run, capsys)
    assert epoch(found["next_window"]) % HOUR == 0
    assert epoch(found["next_due"]) - epoch(found["next_window"]) == HOUR + 602


def test_an_endpoint_that_is_not_monitored_is_said_to_be_none(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.ssm.parameters.pop("/tidegate/local/monitoring/rain-local")
    found = shown(run, capsys)
    assert (found["monitored"], found["windows"], found["next_due"]) == (False, [], None)
    assert run() == 0
    said = capsys.readouterr().out
    assert "rain-local is not monitored for drift; add monitoring: to the endpoint in environments/local.yaml" in said
    assert run("--window", "x") == 1


@pytest.mark.parametrize(
    "name", ["2026-11-22T03:00Z", "20261122T030000Z", "2026-11-22T03:00:00Z", "2026-11-22T03:00", "2026-11-22 03:00"]
)
def test_a_window_in_words_with_ways_out(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    folder = put(account)
    assessment = {"findings": [{**FINDING, "next_step": "Look first for a cause upstream."}]}
    account.s3.objects[f"{folder}/assessment.json"] = json.dumps(assessment).encode()
    assert run("--window", name) == 0
    said = capsys.readouterr().out
    assert "dew_point: PSI is 5.70." in said
    assert "next: Look first for a cause upstream." in said
    assert "accuracy estimated at 58.1 %" in said
    assert f"report: {folder}/report.html" in said
    (finding,) = shown(run, capsys, "--window", name)["findings"]
    assert finding == {**FINDING, "next": "Look first for a cause upstream."}


def test_what_was_found_is_told_to_those_who_may_not_read_files(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    put(account)
    account.s3.denied = True
    assert shown(run, capsys, "--window", "2026-11-22T03:00Z")["findings"] == [{**FINDING, "next": None}]


def test_broken_data_are_told_from_drift(run: Run, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    put(account, summary={"severity": "suspect", "drifted": [], "severe": []})
    assert run("--window", "2026-11-22T03:00Z") == 0
    assert "the data are broken rather than drifted" in capsys.readouterr().out


def test_the_report_is_saved(run: Run, account: Account, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    account.s3.objects[f"{put(account)}/report.html"] = b"<html>"
    put(account, 1, page=False, status="failed")
    assert run("--report") == 0
    assert (tmp_path / "build" / "drift-rain-local-20261122T030000Z.html").read_bytes() == b"<html>"
    assert "the report of 2026-11-22T03:00Z is saved: build/drift-rain-local" in capsys.readouterr().out
    assert shown(run, capsys, "--window", "2026-11-22T03:00Z", "--report", "mine.html")["saved"] == "mine.html"
    assert (tmp_path / "mine.html").read_bytes() == b"<html>"
    assert run("--report", str(tmp_path / "no" / "where.html")) == 2


def test_a_report_that_is_not_there(run: Run, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--report") == 1
    assert "has a report yet" in capsys.readouterr().err
    put(account)
    assert run("--report") == 1
    assert "is not there any more" in capsys.readouterr().err
    put(account, 1, page=False, status="failed")
    assert run("--report", "--window", "2026-11-22T04:00Z") == 1
    assert "has no report, because nothing could be counted (failed)" in capsys.readouterr().err


def test_an_unknown_window_is_told_with_the_latest(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    put(account)
    assert run("--window", "yesterday") == 2
    said = capsys.readouterr().err
    assert "no window 'yesterday'" in said
    assert "the latest is 2026-11-22T03:00Z" in said
    assert "2026-11-22T17:32, 2026-11-22T17:32Z or 2026-11-22T17:32:00Z" in said
    assert run("--window", "") == 2
    assert run("--window", "2026-11-22T03:30") == 2


@pytest.mark.parametrize("limit", ["0", "x", "501"])
def test_a_limit_that_is_none_is_refused(run: Run, limit: str) -> None:
    assert run("--limit", limit) == 2
