"""Workers are killed at every call, and events are lost, doubled and reordered: what was begun ends, once."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.retraining.state import Champion
from lambdas.rollout.errors import PermanentError, RetryableError, TimedOutError

w: Any = sys.modules["retraining_world"]
History = Callable[[Any], None]


def drift_that_ends_in_an_approval(world: Any) -> None:
    world.drift()
    world.until_over()
    world.champion = Champion("1.1.0", "arn:package/2", "config-2", "green")
    world.pass_time(5 * w.MINUTE)


def champion_that_stays_twice(world: Any) -> None:
    world.pipelines.concludes = w.SAME
    for _ in range(2):
        world.drift()
        world.until_over()
        world.pass_time(35 * w.MINUTE)


def start_whose_answer_is_lost(world: Any) -> None:
    world.pipelines.refusals = [TimedOutError("no answer"), RetryableError("ThrottlingException")]
    world.drift()
    world.until_over()


def start_that_is_refused(world: Any) -> None:
    world.pipelines.refusals = [PermanentError("ValidationException")]
    world.drift()
    world.until_over()
    world.tell(world.order())
    world.until_over()


def order_and_stop(world: Any) -> None:
    start, stop = world.order(), world.order("stop")
    for said in (start, start, stop, stop):
        world.tell(said)
    world.until_over()


def run_that_never_ends(world: Any) -> None:
    world.pipelines.seconds = 10 * w.DAY
    world.drift()
    world.until_over(12 * w.HOUR)


def execution_that_fails(world: Any) -> None:
    world.pipelines.ending, world.pipelines.concludes = "Failed", None
    world.drift()
    world.tell(world.look())
    world.until_over()


HISTORIES: list[History] = [
    drift_that_ends_in_an_approval,
    champion_that_stays_twice,
    start_whose_answer_is_lost,
    start_that_is_refused,
    order_and_stop,
    run_that_never_ends,
    execution_that_fails,
]


def lived(history: History, crash_at: int | None = None, *, after: bool = False) -> Any:
    world = w.World()
    world.crash_at, world.crash_after = crash_at, after
    history(world)
    # What was said to somebody who was killed before it was durable is delivered again.
    world.pass_time(5 * w.MINUTE)
    world.until_over(12 * w.HOUR)
    world.check_over()
    return world


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("history", HISTORIES)
def test_killed_at_any_call_each_run_still_ends_once(history: History, after: bool) -> None:
    calm = lived(history)
    assert calm.store.runs, "the history must start something"
    for crash_at in calm.points:
        world = lived(history, crash_at, after=after)
        approved = [arn for arn, _ in world.models.approvals]
        assert len(approved) == len(set(approved))
        told = {subject for subject, _ in world.notices}
        for identity in world.store.runs:
            run = world.store.runs[identity]
            assert run["outcome"] != "failed" or any("failed" in subject for subject in told)


class Tape:
    """Events as a bad network delivers them."""

    def __init__(self, world: Any) -> None:
        self.world = world

    def deliver(self, said: Any, copies: int) -> None:
        for _ in range(copies):
            if not self.world.tell(said):
                self.world.tell(said)  # SQS delivers again what failed


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["window", "calm", "suspect", "data", "start", "stop", "live", "rollout", "look", "old"]),
        st.integers(0, 2),
        st.integers(0, 30),
    ),
    max_size=25,
)
FAULTS = st.lists(
    st.sampled_from([None, TimedOutError("lost"), RetryableError("busy"), PermanentError("refused")]), max_size=4
)


@settings(max_examples=150, deadline=None)
@given(
    EVENTS,
    FAULTS,
    st.lists(st.tuples(st.integers(1, 400), st.booleans()), max_size=3),
    st.sampled_from([w.BETTER, w.SAME, w.UNFIT, None]),
    st.sampled_from(["Succeeded", "Failed", "Stopped"]),
    st.sampled_from([60.0, 900.0, 1e7]),
)
def test_generated_histories_end_well(
    events: Any, refusals: Any, crashes: Any, concludes: Any, ending: str, seconds: float
) -> None:
    world = w.World(replace(w.SETTINGS, on_new_data=True, cooldown_minutes=20))
    world.pipelines.refusals = list(refusals)
    world.pipelines.concludes, world.pipelines.ending, world.pipelines.seconds = concludes, ending, seconds
    tape, points = Tape(world), sorted(crashes)
    for kind, copies, minutes in events:
        if points and world.crash_at is None:
            after, world.crash_after = points.pop(0)
            world.crash_at = world.calls + after
        _happen(world, tape, kind, copies)
        world.pass_time(minutes * w.MINUTE)
        world.check()
    world.crash_at = None
    world.rolling_out = ""
    world.until_over(48 * w.HOUR)
    world.check_over()


def _happen(world: Any, tape: Tape, kind: str, copies: int) -> None:
    number = int((world.time - w.START) // w.MINUTE) + 1
    if kind in ("window", "calm", "suspect"):
        severity = {"window": "severe", "calm": "none", "suspect": "suspect"}[kind]
        tape.deliver(world.window(number, 0 if kind == "calm" else 3, severity), copies)
    elif kind == "old":
        tape.deliver(world.window(max(number - 7, 0)), copies)
    elif kind == "data":
        hour = "2027/01/15/08"
        world.files.content[f"labels/{w.NAME}/{hour}/{number}.jsonl"] = b"labelled"
        tape.deliver(world.data(), copies)
    elif kind in ("start", "stop"):
        tape.deliver(world.order(kind), copies)
    elif kind == "live":
        world.champion = Champion(f"1.{number}.0", f"arn:package/{number}", f"config-{number}", "blue")
    elif kind == "rollout":
        world.rolling_out = "" if world.rolling_out else "9.9.9"
    else:
        tape.deliver(world.look(), copies)
