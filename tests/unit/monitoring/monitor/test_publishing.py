"""What is told of a window comes when alarms look for it, and is no larger than what carries it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from lambdas.monitoring.assessment import Assessment, FeatureDrift, Finding, Kind, Severity
from lambdas.monitoring.publishing import ALARMED, ASSESSED, FAILED, FIRST, GIVEN_UP, LABELS, Judged, Publisher
from lambdas.monitoring.windows import Window

DAY = 86_400
MANY = 2000
ALPHABETS = {"cjk": "\u6f22", "emoji": "\U0001f600", "half": "\ud800", "quote": '"', "ascii": "x"}


def names_of(letter: str) -> list[str]:
    return [f"{number:04d}" + letter * 96 for number in range(MANY)]


def drift(name: str, psi: float, severity: Severity) -> FeatureDrift:
    return FeatureDrift(
        name, psi, psi, 0.0, 0.0, 0.1, None, None, 0.1, 10, 100, 100, 0.0, 0.0, {}, {}, severity=severity
    )


def assessed(names: Sequence[str] = ("pressure",), severe: Sequence[str] = ()) -> Assessment:
    """Return a window in which all features have drifted, the later ones the further."""
    features = {
        name: drift(name, 0.2 + number / 7, Severity.SEVERE if name in severe else Severity.MODERATE)
        for number, name in enumerate(names)
    }
    found = [Finding(Kind.DATA_DRIFT, Severity.SEVERE, name, name * 8, "Look.", {}) for name in names]
    performance = {which: {"accuracy": {"value": 0.5}} for which in ("estimated", "measured")}
    return Assessment(
        "rain-test", "2026-11-22T03:00Z", "2026-11-22T03:00:00Z", "2026-11-22T03:01:00Z", "1.0.0", "b",
        Severity.SEVERE, tuple(names), tuple(severe), tuple(found), features, features, performance, 100,
    )  # fmt: skip


def publish(world: Any, fakes: Any, assessment: Assessment, look: str = FIRST, status: str = ASSESSED) -> None:
    world.metrics.sent.clear()
    window = Window(fakes.START, fakes.START + 60)
    publisher = Publisher(world.ports, world.settings.held, lambda *_: "")
    publisher.publish(Judged(window, look, assessment, None, None, (), status))


@pytest.mark.parametrize("late", [130.0, 24 * 3600.0])
@pytest.mark.parametrize("look", [FIRST, LABELS])
def test_what_alarms_look_at_carries_the_time_of_the_look(world: Any, fakes: Any, look: str, late: float) -> None:
    world.clock.time = fakes.START + late
    publish(world, fakes, assessed(), look)
    times = {datum.name: at - fakes.START for at, datum in world.metrics.sent}
    assert {name for name, at in times.items() if at == late} == (ALARMED if look == FIRST else {"AccuracyDrops"})
    described = {"Accuracy", "EstimatedAccuracy"} | ({"WindowRows", "PSI", "MissingShare"} if look == FIRST else set())
    assert {name for name, at in times.items() if at == 60} == described


def test_of_a_window_of_weeks_ago_alarms_are_told_alone(world: Any, fakes: Any) -> None:
    world.clock.time = fakes.START + 20 * DAY
    publish(world, fakes, assessed(), LABELS)
    assert [(at, datum.name) for at, datum in world.metrics.sent] == [(world.clock.time, "AccuracyDrops")]


@pytest.mark.parametrize("look", [FIRST, LABELS])
@pytest.mark.parametrize("status", [FAILED, GIVEN_UP])
def test_a_window_that_was_not_counted_is_suspect_and_no_more(world: Any, fakes: Any, status: str, look: str) -> None:
    world.clock.time = fakes.START + 20 * DAY
    publish(world, fakes, replace(assessed(), severity=Severity.SUSPECT), look, status)
    assert [(at, each.name, each.value) for at, each in world.metrics.sent] == [(world.clock.time, "SuspectWindows", 1)]


@pytest.mark.parametrize("letter", ALPHABETS.values(), ids=ALPHABETS)
def test_thousands_of_columns_with_long_names_fit(world: Any, fakes: Any, letter: str) -> None:
    names = names_of(letter)
    severe = names[100:110]
    publish(world, fakes, assessed(names, severe))  # the fakes refuse what AWS would
    [event], [item] = world.events.sent, world.records.windows.values()
    summary = item["summary"]
    assert len(json.dumps(event)) > 32 * 1024
    for told, psi in ((event, event["features"]), (summary, summary["psi"])):
        assert [each[:4] for each in told["severe"]] == [each[:4] for each in severe]
        kept = {each[:4] for each in told["drifted"]}
        others = MANY - len(kept)
        assert len(psi) == len(kept) > len(severe)
        assert kept - {each[:4] for each in severe} == {f"{number:04d}" for number in range(MANY)[others + 10 :]}
    assert event["left_out"]["features"] == MANY - len(event["features"]) > 0
    assert item["left_out"]["features"] == MANY - len(summary["psi"])
    for told in (event, item):
        assert told["left_out"]["findings"] == MANY - len(told["findings"])
        assert len(told["findings"]) > 10


def test_nothing_is_left_out_where_there_is_room(world: Any, fakes: Any) -> None:
    names = [f"column {number}" for number in range(1000)]
    publish(world, fakes, replace(assessed(names, names), findings=()))
    [event], [item] = world.events.sent, world.records.windows.values()
    assert event["left_out"] == item["left_out"] == {"features": 0, "findings": 0}
    assert event["severe"] == event["drifted"] == names == item["summary"]["drifted"]
