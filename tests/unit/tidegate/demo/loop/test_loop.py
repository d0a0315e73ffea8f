"""The loop's demo: what it counts as a closed loop, and that it says so."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from tidegate.demo.case import Check
from tidegate.demo.display import Display
from tidegate.demo.loop import beginning, checks, page, report, story
from tidegate.demo.loop.report import Setting
from tidegate.demo.loop.seen import LoopSeen
from tidegate.demo.loop.stream import DRIFT_ROW, FIRST_ROW, RATE
from tidegate.demo.loop.truth import LATE_SECONDS, Truth
from tidegate.demo.observations import Observations, Request, Sighting
from tidegate.demo.timeline import VersionTimeline
from tidegate.demo.traffic import Stream
from tidegate.drift import Finding, Window
from tidegate.errors import OperatorError
from tidegate.labels import Label
from tidegate.retraining import Entry, Run
from tidegate.rollouts import Rollout
from tidegate.settings import EndpointSettings

START = 1_800_000_000.0
DRIFT = START + (DRIFT_ROW - FIRST_ROW) / RATE
RETRAINED, CANARY, PROMOTED, END = DRIFT + 130, DRIFT + 200, DRIFT + 260, DRIFT + 340
SETTING = Setting([], [], {"deploy": 1.0})


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def answered(index: int) -> Request:
    """Right nine times of ten, six times of ten in the drift, and eight times by the new version."""
    due = START + index / RATE
    new = due >= PROMOTED
    share = 8 if new else 6 if due >= DRIFT else 9
    variant = "green" if new else "blue"
    return Request(due, due, due + 0.01, variant, right=index % 10 < share, index=index)


def window(start: float, severity: str, severe: Sequence[str] = (), version: str = "2.0.0") -> Window:
    finding = Finding("data_drift", severity, "dew_point", f"<b>{severity}</b> drift")
    psi = dict.fromkeys(severe, 5.0) | {"temperature": 0.01}
    return Window(
        iso(start), iso(start + 60), severity, 730, version, tuple(severe), tuple(severe), psi, 0.8, 0.78, (finding,)
    )


@pytest.fixture
def seen() -> LoopSeen:
    traffic = Observations(START, "rain-loop", RATE, ended=END)
    traffic.requests = [answered(index) for index in range(int((END - START) * RATE))]
    traffic.sightings = [
        Sighting(START, START, "InService", "one", {"blue": 100.0}),
        Sighting(CANARY, CANARY, "InService", "both", {"blue": 90.0, "green": 10.0}),
        Sighting(PROMOTED, PROMOTED, "InService", "two", {"green": 100.0}),
    ]
    traffic.configs = {"one": {"blue": "2.0.0"}, "both": {"blue": "2.0.0", "green": "2.1.0"}, "two": {"green": "2.1.0"}}
    traffic.rollouts = [
        Rollout("r1", "model", "2.1.0", "green", "PROMOTED", "PROMOTED", "", iso(CANARY - 10), iso(PROMOTED))
    ]
    first = DRIFT - 120 - DRIFT % 60
    severe = ("dew_point", "sea_level_pressure")
    windows = [window(first, "severe", ["visibility"]), window(first + 60, "none")]
    windows += [window(DRIFT + 5, "severe", severe), window(DRIFT + 65, "severe", severe)]
    run = Run("run-1", "severe drift", iso(RETRAINED), iso(CANARY - 20), "registered", "2.1.0", "76 % beats 58 %")
    return LoopSeen(traffic, windows, [run], 5_000)


def failed(seen: LoopSeen) -> list[str]:
    found: list[Check] = checks.run(checks.Case(seen, VersionTimeline(seen.traffic)))
    return [check.name for check in found if not check.passed]


def test_a_closed_loop_meets_every_criterion(seen: LoopSeen) -> None:
    assert failed(seen) == []


def test_a_run_before_the_drift_is_a_false_alarm(seen: LoopSeen) -> None:
    seen.runs[0] = replace(seen.runs[0], started_at=iso(DRIFT - 1))
    assert failed(seen) == ["before row 12,000 no retraining is started"]


def test_without_a_window_before_the_drift_nothing_is_shown(seen: LoopSeen) -> None:
    seen.windows = seen.windows[2:]
    assert failed(seen) == ["before row 12,000 no retraining is started"]


def test_drift_that_its_first_window_does_not_show_is_not_found(seen: LoopSeen) -> None:
    seen.windows[2] = replace(seen.windows[2], severity="moderate")
    assert failed(seen) == ["the planted drift is found, window and features named"]


def test_two_runs_are_one_too_many(seen: LoopSeen) -> None:
    seen.runs.append(replace(seen.runs[0], id="run-2"))
    assert failed(seen) == ["retraining runs, once"]


def test_a_champion_that_stays_closes_no_loop(seen: LoopSeen) -> None:
    seen.runs[0] = replace(seen.runs[0], outcome="champion_stays", version="")
    seen.traffic.rollouts = []
    assert failed(seen) == [
        "the challenger beats the champion on held-out rows, and is registered",
        "approved by rule, it is rolled out by canary",
        "accuracy recovers",
    ]


def test_all_at_once_is_no_canary(seen: LoopSeen) -> None:
    del seen.traffic.sightings[1]
    assert failed(seen) == ["approved by rule, it is rolled out by canary"]


def test_a_new_version_that_is_no_better_does_not_recover(seen: LoopSeen) -> None:
    seen.traffic.requests = [
        replace(each, right=each.index % 10 < 6) if each.due >= DRIFT else each for each in seen.traffic.requests
    ]
    assert failed(seen) == ["accuracy recovers"]


def test_a_failed_request_is_told_with_its_row(seen: LoopSeen) -> None:
    seen.traffic.requests[7] = replace(seen.traffic.requests[7], failure="ModelError", right=None)
    assert failed(seen) == ["no request fails"]
    assert f"row {FIRST_ROW + 7}" in checks.nothing_failed(checks.Case(seen, VersionTimeline(seen.traffic))).detail


def test_the_report_tells_the_story_in_order(seen: LoopSeen) -> None:
    found = report.build(seen, SETTING)
    assert found["passed"]
    assert found["versions"] == ["2.0.0", "2.1.0"]
    assert [event["text"] for event in found["events"]] == [
        "window severe: visibility",
        "planted drift begins, row 12,000",
        "window severe: dew_point, sea_level_pressure",
        "retraining starts",
        "registered 2.1.0",
        "rollout of 2.1.0 starts",
        "2.1.0 promoted",
    ]
    last = found["accuracy"]["2.0.0"][-1][1], found["accuracy"]["2.1.0"][-1][1]
    assert last == (pytest.approx(0.6, abs=0.03), pytest.approx(0.8, abs=0.03))


def test_the_page_shows_features_and_escapes_what_it_was_told(seen: LoopSeen) -> None:
    shown = page.page(report.build(seen, SETTING))
    assert "dew_point: PSI 5.00" in shown
    assert "&lt;b&gt;severe&lt;/b&gt; drift" in shown
    assert "<b>severe" not in shown
    assert "all criteria met" in shown


def test_the_page_of_a_run_in_which_nothing_happened(seen: LoopSeen) -> None:
    empty = LoopSeen(Observations(START, "rain-loop", RATE, ended=START))
    shown = page.page(report.build(empty, SETTING))
    assert "criteria not met" in shown
    assert "None was started." in shown


def test_a_terminal_that_shows_no_pictures_is_told_each_thing_once(seen: LoopSeen) -> None:
    seen.trail = [Entry(iso(RETRAINED), "run-1", "start", "The run starts.")]
    written = io.StringIO()
    with Display(Console(file=written, width=200), seen.traffic, seen.news) as display:
        display.show("", START)
        seen.windows.append(window(PROMOTED, "none", version="2.1.0"))
        display.show("", START)
    told = [line.strip() for line in written.getvalue().splitlines()]
    news = [line.split(": ")[1].split(",")[0] for line in told if "window" in line or "retraining" in line]
    assert news == ["severe", "none", "severe", "severe", "The run starts.", "none"]
    assert told[0].endswith("severe, 730 rows; PSI: visibility 5.00")


class Pace:
    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def test_labels_are_told_once_and_late(seen: LoopSeen) -> None:
    told: list[Label] = []
    pace, requests = Pace(START), [answered(0), replace(answered(1), failure="ModelError"), answered(2)]
    truth = Truth(Stream(["a", "b", "c"], [1, 0, 0]), requests, lambda labels, _: told.extend(labels), pace)
    truth.tell()
    assert told == []
    pace.at = answered(0).done + LATE_SECONDS
    truth.tell()
    truth.tell()
    assert told == [Label(f"day-{FIRST_ROW}", "1")]
    pace.at += 60
    truth.tell()
    assert told[1:] == [Label(f"day-{FIRST_ROW + 2}", "0")]


def test_labels_that_could_not_be_stored_are_told_again() -> None:
    told: list[Label] = []
    broken = [True]

    def put(labels: Sequence[Label], _: Any) -> None:
        if broken.pop():
            broken.append(False)
            raise OSError("no network")
        told.extend(labels)

    truth = Truth(Stream(["a"], [1]), [answered(0)], put, Pace(START + 60))
    with pytest.raises(OSError, match="no network"):
        truth.tell()
    truth.tell()
    assert [label.label for label in told] == ["1"]


def test_the_story_ends_some_time_after_the_promotion_or_with_the_record(seen: LoopSeen) -> None:
    pace = Pace(PROMOTED)
    story.tell(seen, lambda _, __: None, pace, 10**6)
    assert PROMOTED + story.AFTERWARDS_SECONDS <= pace.at < PROMOTED + story.AFTERWARDS_SECONDS + 2
    seen.windows.append(window(PROMOTED + 1, "none", version="2.1.0"))
    pace = Pace(PROMOTED)
    story.tell(seen, lambda _, __: None, pace, 10**6)
    assert pace.at == PROMOTED, "a window of the new version has been looked at"
    seen.traffic.rollouts, pace = [], Pace(START)
    story.tell(seen, lambda _, __: None, pace, 100)
    assert pace.at == pytest.approx(START + 100 / RATE, abs=1)


def test_the_chapter_follows_the_loop(seen: LoopSeen) -> None:
    assert "2.1.0 is live" in story.chapter(seen)
    seen.traffic.rollouts = []
    assert "registered" in story.chapter(seen)
    seen.runs = []
    assert "has begun" in story.chapter(seen)
    seen.traffic.requests = seen.traffic.requests[:100]
    assert "before the planted drift" in story.chapter(seen)


class Deployment:
    """A monitor whose schedule starts it some seconds after the deployment."""

    def __init__(self, pace: Pace, starts_after: float) -> None:
        self._pace = pace
        self._starts_at = pace.now() + starts_after
        self.dynamodb = self.ssm = self

    def get_paginator(self, name: str) -> Any:
        assert name == "query"
        return self

    def paginate(self, **request: Any) -> Any:
        assert request["TableName"] == "tidegate-local-monitoring"
        assert request["ExpressionAttributeValues"][":prefix"] == {"S": "CURSOR"}
        yield {"Items": [{"sk": {"S": "CURSOR"}}] if self._pace.now() >= self._starts_at else []}

    def get_parameter(self, Name: str) -> Any:
        assert Name == "/tidegate/local/monitoring/rain-local"
        return {"Parameter": {"Value": '{"bootstrap_version": "2.0.0"}'}}


def test_traffic_begins_with_the_first_window_after_the_monitors_first_run(endpoint: EndpointSettings) -> None:
    pace = Pace(1_800_000_007.0)
    deployment: Any = Deployment(pace, 61.0)
    beginning.wait(deployment, endpoint, pace)
    assert pace.at == 1_800_000_120.0
    assert beginning.champion(deployment, endpoint) == "2.0.0"


def test_a_monitor_that_never_runs_is_told_of(endpoint: EndpointSettings) -> None:
    pace = Pace(1_800_000_000.0)
    deployment: Any = Deployment(pace, 10_000.0)
    with pytest.raises(OperatorError, match="did not run within 180 s"):
        beginning.wait(deployment, endpoint, pace)
