"""What is told of the way from an alarm's event to the weight call: its arithmetic and its limit."""

import io
from typing import Any

import pytest
from rich.console import Console

from bench.__main__ import _judge
from bench.alarm_to_weights import LIMIT_SECONDS, Reaction, Reactions, _covered, _reaction
from bench.machine import look
from bench.report import Report
from bench.tape import WEIGHTS


def call(began: float, ended: float | None, name: str = "Query") -> dict[str, Any]:
    return {"name": name, "began": began, "ended": ended}


@pytest.mark.parametrize(
    ("calls", "seconds"),
    [
        ([], 0),
        ([call(1, 2), call(4, 7)], 4),
        ([call(1, 5), call(2, 3)], 4),
        ([call(1, 3), call(2, 5)], 4),
        ([call(8, None)], 2),
        ([call(8, 12)], 2),
    ],
    ids=["none", "apart", "within", "overlapping", "not over yet", "over too late"],
)
def test_time_in_calls_is_counted_once_and_up_to_the_end(calls: list[dict[str, Any]], seconds: float) -> None:
    assert _covered(calls, 10) == seconds


def test_ours_is_what_is_left_of_the_way_without_the_api() -> None:
    calls = [call(10.1, 10.3), call(10.2, 10.4), call(10.5, 10.9, WEIGHTS), call(10.95, 11)]
    reaction = _reaction({"event_at": 10.0, "calls": calls})
    assert reaction is not None
    assert reaction.whole == pytest.approx(0.5)
    assert reaction.api == pytest.approx(0.3)
    assert reaction.ours == pytest.approx(0.2)
    assert reaction.calls == ("Query", "Query")


@pytest.mark.parametrize(
    "noted",
    [{"event_at": 10.0, "calls": [call(10.1, 10.3)]}, {"event_at": None, "calls": [call(10.5, 10.9, WEIGHTS)]}],
    ids=["no weight call", "no event"],
)
def test_a_round_in_which_nobody_reacted_does_not_count(noted: dict[str, Any]) -> None:
    assert _reaction(noted) is None


@pytest.mark.parametrize(("seconds", "status"), [(LIMIT_SECONDS, 0), (LIMIT_SECONDS + 0.05, 1)])
def test_a_limit_that_is_passed_is_named_and_fails_the_run(seconds: float, status: int) -> None:
    reactions = Reactions((Reaction(seconds + 1, 1, ()),) * 5)
    out = io.StringIO()
    report = Report([], 1.0, look(), 0.1, {"alarm_to_weights": reactions})
    assert _judge(report, Console(file=out, width=200)) == status
    named = "over its limit: alarm_to_weights: p99 beyond the API is 300 ms, and the limit 250 ms"
    assert (named in out.getvalue()) == bool(status)
