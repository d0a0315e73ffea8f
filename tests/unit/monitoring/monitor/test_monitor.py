"""Windows are looked at in their turn, once, and again when their labels have come; trouble has a name."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.versions import Baselines, Timeline, Version

WINDOW = "2026-11-22T03:00Z"
FOLDER = "monitoring/rain-test/20261122T030000Z"
LOOK = 130.0
"""Seconds after the start when the first window is due."""


def counts_of(world: Any, folder: str = FOLDER) -> WindowCounts:
    return WindowCounts.of_text(world.files.held[f"{folder}/counts.json"][0])


def kinds(event: dict[str, Any]) -> set[str]:
    return {finding["kind"] for finding in event["findings"]}


def test_nothing_is_looked_at_before_its_time(world: Any) -> None:
    world.traffic(5, 50)
    world.run(at=119)
    assert world.events.sent == []
    world.run(at=LOOK)
    assert world.windows() == [(WINDOW, "first")]


def test_a_window_is_counted_judged_and_told(world: Any) -> None:
    world.traffic(5, 400)
    world.traffic(70, 30)  # of the next window
    world.run(at=LOOK)
    counts, [event] = counts_of(world), world.events.sent
    assert (counts.rows, counts.requests, counts.variants["blue"], counts.versions["1.0.0"]) == (400, 400, 400, 400)
    assert counts.performance.n == 400
    assert sum(part.rows for part in counts.slices.values()) == 400
    assert (event["severity"], event["rows"], event["model_version"]) == ("none", 400, "1.0.0")
    assert event["report"] == f"s3://artefacts/{FOLDER}/report.html"
    assert world.records.windows["20261122T030000Z"]["summary"]["rows"] == 400
    assert world.metrics.values("WindowRows") == [400]
    assert {datum.feature for _, datum in world.metrics.sent if datum.name == "PSI"} == {"pressure", "wind"}
    assert {"endpoint": "rain-test", "window": WINDOW} in [fields for fields, _ in world.log.lines]


def test_drift_is_found_and_named(world: Any) -> None:
    world.traffic(5, 2000, shift=12.0)
    world.run(at=LOOK)
    [event] = world.events.sent
    assert (event["severity"], event["severe"]) == ("severe", ["pressure"])
    assert world.metrics.values("SeverelyDriftedFeatures") == [1]
    assert world.metrics.values("SuspectWindows") == [0]


def test_windows_are_caught_up_in_order_and_bounded(world: Any) -> None:
    for minute in range(20):
        world.traffic(minute * 60 + 1, 20)
    world.run(at=20 * 60 + 70)
    first = [window for window, look in world.windows() if look == "first"]
    assert first == [f"2026-11-22T03:{minute:02d}Z" for minute in range(12)]
    assert world.metrics.values("WindowsBehind")[-1] == 8
    world.run()
    assert len([1 for _, look in world.windows() if look == "first"]) == 20
    assert world.metrics.values("WindowsBehind")[-1] == 0


def test_windows_that_lie_too_far_back_are_given_up_by_name(world: Any) -> None:
    world.run(at=100 * 60 + 70)
    given_up = world.records.windows["20261122T030000Z"]
    assert given_up["status"] == "given_up"
    assert given_up["end"] == "2026-11-22T03:52:00Z"
    assert kinds(world.events.sent[0]) == {"window_given_up"}
    assert world.events.sent[0]["severity"] == "suspect"
    assert world.windows()[1] == ("2026-11-22T03:52Z", "first")


def test_an_empty_window_is_told(world: Any) -> None:
    world.run(at=LOOK)
    assert "empty_window" in kinds(world.events.sent[0])


def test_late_lines_and_broken_ones_are_counted_once(world: Any, fakes: Any) -> None:
    line = fakes.record("late", fakes.START + 59, "1013,north", {"probability": 0.1, "rain": 0.0})
    world.traffic(5, 20)
    world.capture(59, [line, b'{"captureData": '], written=130)  # after the first window's look
    for minute in range(1, 6):
        world.run(at=LOOK + 60 * (minute - 1))
    counts = [counts_of(world, f"monitoring/rain-test/20261122T03{minute:02d}00Z") for minute in range(5)]
    assert [each.late for each in counts] == [0, 1, 0, 0, 0]
    assert [dict(each.malformed) for each in counts] == [{}, {}, {"truncated": 1}, {}, {}]


def test_a_model_without_a_baseline_is_said_so(world: Any) -> None:
    world.settings.held = replace(world.settings.held, bootstrap_baseline=None)
    world.traffic(5, 30)
    world.run(at=LOOK)
    [event] = world.events.sent
    assert ("no_baseline" in kinds(event), event["rows"], event["report"][-15:]) == (True, 30, "assessment.json")


def test_a_baseline_that_cannot_be_read_is_named(world: Any) -> None:
    world.files.add("bootstrap/baseline.json", b'{"schema_version": 99}', 0)
    world.traffic(5, 30)
    world.run(at=LOOK)
    [finding] = [each for each in world.events.sent[0]["findings"] if each["kind"] == "no_baseline"]
    assert "baseline.schema_version" in finding["text"]


def test_the_version_that_was_live_then_is_what_a_window_is_compared_with(world: Any, fakes: Any) -> None:
    second = fakes.make_baseline("2.0.0", seed=2)
    world.files.add("models/2/baseline.json", second.text().encode(), 0)
    world.versions.places["arn:2"] = Baselines(("s3://artefacts/models/2/baseline.json",), {}, "2026-11-01T00:00:00Z")
    world.versions.found = Timeline(
        (Version("bootstrap", None, "blue", until=fakes.START + 90), Version("2.0.0", "arn:2", "green"))
    )
    world.traffic(5, 30)
    world.capture(61, [fakes.record("b", fakes.START + 61, "1013,north", {"probability": 0.1, "rain": 0.0})])
    answer = {"probability": 0.1, "rain": 0.0}
    world.capture(100, [fakes.record("g", fakes.START + 100, "1013,north", answer)], variant="green")
    world.run(at=LOOK + 60)
    assert [event["model_version"] for event in world.events.sent if event["look"] == "first"] == ["1.0.0", "2.0.0"]
    assert dict(counts_of(world, "monitoring/rain-test/20261122T030100Z").versions) == {"1.0.0": 1, "2.0.0": 1}


def test_copies_that_a_shadow_answered_are_not_counted(world: Any, fakes: Any) -> None:
    candidate = Version("2.0.0", "arn:2", "green", mirrored=True)
    world.versions.found = Timeline((Version("bootstrap", None, "blue"),), candidate)
    world.traffic(5, 30)
    copy = fakes.record("copy", fakes.START + 6, "1013,north", {"probability": 0.1, "rain": 0.0})
    world.capture(6, [copy], variant="green")
    world.run(at=LOOK)
    assert counts_of(world).rows == 30


def test_labels_are_joined_a_window_later(world: Any) -> None:
    world.traffic(5, 100)
    world.label(90, {f"r5-{n}": "1" for n in range(60)} | {"nobody": "1"})
    world.label(100, {"r5-0": "0"})  # the last one counts
    world.run(at=LOOK)
    world.run(at=LOOK + 60)
    assert world.windows() == [(WINDOW, "first"), ("2026-11-22T03:01Z", "first"), (WINDOW, "labels")]
    performance = counts_of(world).performance
    assert (performance.labelled, performance.unknown_ids) == (60, 1)
    assert performance.tp + performance.fn == 59
    assert counts_of(world).malformed["label_conflicting"] == 1
    assert world.events.sent[-1]["accuracy"] is not None
    assert len(world.metrics.values("Accuracy")) == 1


def test_labels_of_requests_in_other_windows_are_not_unknown(world: Any) -> None:
    world.traffic(5, 40)
    world.traffic(65, 40)
    world.label(90, {"r5-0": "1", "r65-0": "0"})
    world.run(at=LOOK)
    world.run(at=LOOK + 60)
    world.run(at=LOOK + 120)
    for key in ("030000", "030100"):
        performance = counts_of(world, f"monitoring/rain-test/20261122T{key}Z").performance
        assert (performance.labelled, performance.unknown_ids) == (1, 0)


def test_captures_that_are_deleted_before_their_labels_come_leave_the_first_look(world: Any) -> None:
    world.traffic(5, 40)
    world.label(90, {"r5-0": "1"})
    world.run(at=LOOK)
    before = world.files.held[f"{FOLDER}/counts.json"]
    for key in [key for key in world.files.held if key.startswith("capture/")]:
        del world.files.held[key]
    world.run(at=LOOK + 60)
    assert world.files.held[f"{FOLDER}/counts.json"] == before
    assert (WINDOW, "labels") not in world.windows()


@pytest.fixture
def large(world: Any, fakes: Any) -> Any:
    """Return a world in which the first window is for a job, which has been started."""
    world.settings.held = replace(world.settings.held, job=fakes.JOB, small_window_bytes=1000)
    world.traffic(70, 60)
    world.capture(58, [fakes.record("in", fakes.START + 58, "1013,north", {"probability": 0.1, "rain": 0.0})] * 60)
    world.run(at=LOOK)
    return world


def finish(world: Any, content: bytes | None) -> None:
    [name] = world.jobs.views
    world.jobs.views[name] = replace(world.jobs.views[name], status="Completed")
    if content is not None:
        world.files.add(f"{FOLDER}/jobs/first/output/counts.json", content, 0)


def test_a_large_window_is_handed_to_a_job_and_its_result_taken(large: Any, fakes: Any) -> None:
    [(name, order)] = large.jobs.orders.items()
    assert len(name) <= 63
    assert large.events.sent == []
    large.run(at=LOOK + 5)
    assert large.events.sent == []
    manifest = json.loads(large.files.held[f"{FOLDER}/jobs/first/captures.manifest"][0])
    assert manifest[0] == {"prefix": "s3://artefacts/capture/rain-test/"}
    assert sorted(manifest[1:]) == [f"rain-test/blue/2026/11/22/03/000{number}.jsonl" for number in (1, 2)]
    request = json.loads(large.files.held[f"{FOLDER}/jobs/first/request/request.json"][0])
    assert (request["start"], request["end"], request["slices"]) == (fakes.START, fakes.START + 60, ["wind"])
    assert request["fresh"].keys() == set(manifest[1:])
    assert order.manifests == {"captures"}
    counted = WindowCounts.of(large.baseline, "rain-test", "2026-11-22T03:00:00Z", "2026-11-22T03:01:00Z")
    counted.rows = counted.requests = 60
    finish(large, counted.text().encode())
    large.run(at=LOOK + 30)
    assert large.events.sent[0]["rows"] == 60
    assert len(large.jobs.orders) == 1


@pytest.mark.parametrize("content", [None, b"{", b"{}"])
def test_a_job_that_leaves_nothing_is_a_named_finding(large: Any, content: bytes | None) -> None:
    finish(large, content)
    large.run(at=LOOK + 30)
    assert kinds(large.events.sent[0]) == {"counting_failed"}
    assert large.records.windows["20261122T030000Z"]["status"] == "failed"


def test_a_failed_job_is_a_named_finding_with_its_reason(large: Any) -> None:
    [name] = large.jobs.views
    large.jobs.views[name] = replace(large.jobs.views[name], status="Failed", reason="AlgorithmError: out of memory")
    large.run(at=LOOK + 30)
    [event] = large.events.sent
    assert event["severity"] == "suspect"
    assert "out of memory" in event["findings"][0]["text"]
    large.run(at=LOOK + 60)
    assert len(large.jobs.orders) == 2  # the next window is not held up


def test_a_window_that_takes_too_long_is_handed_over(world: Any, fakes: Any) -> None:
    world.settings.held = replace(world.settings.held, job=fakes.JOB)
    world.traffic(5, 60)
    spent = iter([280.0] + [20.0] * 1000)
    world.clock.left = lambda: next(spent)
    world.run(at=LOOK)
    assert len(world.jobs.orders) == 1
    world.clock.left = lambda: 280.0
    world.run(at=LOOK + 5)
    assert (len(world.jobs.orders), world.events.sent) == (1, [])


def test_a_window_that_takes_too_long_without_a_job_is_a_named_finding(world: Any) -> None:
    world.traffic(5, 60)
    spent = iter([280.0] + [20.0] * 1000)
    world.clock.left = lambda: next(spent)
    world.run(at=LOOK)
    assert kinds(world.events.sent[0]) == {"counting_failed"}


def test_without_time_nothing_is_begun(world: Any) -> None:
    world.traffic(5, 60)
    world.clock.lasts = 50.0
    world.run(at=LOOK)
    assert world.events.sent == []
    assert world.metrics.values("WindowsBehind")[-1] == 1


def test_of_two_runs_at_once_one_gives_way(world: Any, fakes: Any) -> None:
    world.traffic(5, 60)
    move = world.records.move

    def overtaken(endpoint: str, cursor: Any) -> Any:
        move(endpoint, cursor)
        return move(endpoint, cursor)

    world.records.move = overtaken
    world.run(at=LOOK)
    assert "another run is at work" in world.log.lines[-1][1]
    assert world.records.cursors["rain-test"].next == fakes.START + 60
