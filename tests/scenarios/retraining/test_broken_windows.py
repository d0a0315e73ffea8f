"""Traffic that is broken rather than drifted is named, and starts nothing, though a single drifted window would."""

import json
from dataclasses import dataclass

import pytest

from lambdas.monitoring.monitor import MOST_A_RUN
from tests.scenarios.environments import BROKEN
from tests.scenarios.retraining.watched import Watched
from tests.scenarios.retraining.weather import DRIFT, Captured, Edit, as_it_is, body, labels
from tidegate.drift import Window
from tidegate.labels import Label
from tidegate.retraining import state

ROWS = 500
KNOWN = range(8_000, 10_500, 5)
"""Of the days that the champion has learnt from."""

CALM = 6
"""Windows from which the monitor learns what is usual. With the broken ones they are as many as it looks at in a run,
so that the whole one is the next run's."""


def cut(place: int, captured: Captured) -> str:
    line = json.dumps(captured)
    return line[: len(line) // 2] if place % 10 == 0 else line


BROKEN_AS: dict[str, tuple[Edit, int, str]] = {
    "cut off lines": (cut, 1, "malformed_records"),
    "a column too few": (body(lambda cells: cells[:-1]), 1, "schema_change"),
    "ten times the traffic": (as_it_is, 10, "volume"),
    "a column that is missing": (body(lambda cells: [cells[0], "", *cells[2:]]), 1, "missing_values"),
    "NaN": (body(lambda cells: ["nan", *cells[1:]], every=10), 1, "not_finite"),
    "no requests": (as_it_is, 0, "empty_window"),
}
"""How drifted traffic is broken, by how much there is of it, and what is to be found."""


@dataclass(frozen=True)
class Past:
    """The endpoint, what became of each window, and the start of the one that is yet to be looked at."""

    loop: Watched
    windows: dict[str, Window]
    whole: int


@pytest.fixture(scope="module")
def past(circle: Watched) -> Past:
    """The endpoint, after one look: at calm windows and at broken ones."""
    loop = circle.at(BROKEN)
    assert CALM + len(BROKEN_AS) == MOST_A_RUN
    *starts, whole = loop.begin(MOST_A_RUN + 1)
    for start in starts[:CALM]:
        loop.capture(start, KNOWN)
    unknown = [Label(f"nobody-{n}", "1") for n in range(300)]
    loop.label(starts[1] + 10, [*labels(KNOWN[:20]), *unknown])
    loop.label(whole + 10, unknown)
    for start, (edit, times, _) in zip(starts[CALM:], BROKEN_AS.values(), strict=True):
        if times:
            loop.capture(start, range(DRIFT, DRIFT + times * ROWS), edit)
    loop.capture(whole, range(DRIFT, DRIFT + ROWS))
    loop.look()
    names = [*(f"calm {number}" for number in range(CALM)), *BROKEN_AS]
    return Past(loop, {name: loop.window(start) for name, start in zip(names, starts, strict=True)}, whole)


@pytest.mark.parametrize("name", BROKEN_AS)
def test_broken_traffic_is_suspect_and_named(past: Past, name: str) -> None:
    window = past.windows[name]
    assert window.severity == "suspect"
    assert BROKEN_AS[name][2] in {each.kind for each in window.findings}, window.findings


def test_labels_of_unknown_requests_are_named(past: Past) -> None:
    found = [each for window in past.windows.values() for each in window.findings if each.kind == "unknown_labels"]
    assert found
    assert "300" in found[0].text


def test_only_the_whole_window_starts_a_run_and_that_ends_with_what_is_wrong_with_its_labels(past: Past) -> None:
    loop = past.loop
    loop.wait_for(lambda: len(state(loop.aws, loop.endpoint).get("windows", ())) == MOST_A_RUN, "word of all windows")
    assert not loop.runs()
    loop.look()
    assert loop.window(past.whole).severity == "severe"
    run = loop.wait_for_runs(1)
    assert run.outcome == "failed", loop.story()
    assert "Prepare" in run.text
    assert "unknown_labels" in run.text
    assert not loop.packages()
    assert not loop.rollouts()
