"""Violations on disk: shrunk, told in words, and replayed with and without the mistake that they show."""

from pathlib import Path

import pytest

from localcloud.simulation.bugs import seeded
from localcloud.simulation.schedule import Fault, Kind, Order, Schedule
from localcloud.simulation.trace import Trace, TraceError, read, shrunk
from localcloud.simulation.trail import run
from tidegate.commands.replay import replay
from tidegate.errors import UsageError

CROWDED = Schedule(
    "canary",
    alarm_at=119.0,
    faults=(Fault(Kind.THROTTLE, 12), Fault(Kind.TWICE, 9)),
    orders=(Order("pause", 20.0), Order("resume", 25.0)),
)
BUG = "finalise-without-soak"


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """A trace of a schedule that needs nothing injected to show the mistake."""
    with seeded(BUG):
        violation = run(Schedule("canary")).violations[0]
    return Trace(Schedule("canary"), BUG, str(violation)).write(tmp_path)


def test_what_a_violation_does_not_need_is_left_out() -> None:
    with seeded(BUG):
        assert shrunk(CROWDED, 8) == Schedule("canary")


def test_a_trace_survives_being_written(trace: Path) -> None:
    found = read(trace)
    assert (found.schedule, found.bug) == (Schedule("canary"), BUG)
    assert "invariant 8" in found.violated


def test_a_replay_with_the_mistake_tells_the_story_and_ends_with_3(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(trace, BUG) == 3
    told = capsys.readouterr().out
    for part in ("calls endpoints.set_weights(rain-local, green=10, blue=90)", "-> BAKE of 1.1.0, step 0 (10 %)"):
        assert part in told
    assert "still violated: invariant 8" in told


def test_a_replay_of_what_is_mended_ends_with_0(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(trace, None) == 0
    told = capsys.readouterr().out
    assert "every invariant holds now" in told
    assert f"--bug {BUG}" in told


def test_a_file_that_is_no_trace_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trace-1.json"
    path.write_text('{"schema": 99}')
    with pytest.raises(TraceError, match="schema 99"):
        read(path)
    with pytest.raises(UsageError):
        replay(tmp_path / "nothing.json", None)
    with pytest.raises(UsageError, match="no mistake called"):
        replay(path, "nonsense")
