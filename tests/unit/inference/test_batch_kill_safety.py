"""Workers are killed and refused at every call, events come twice or late: each run ends, no row is answered twice.

Nothing that a run has begun goes on without it: the world looks for that after whatever is delivered.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.inference.batch.said import Look
from lambdas.inference.batch.state import Stage
from lambdas.rollout.errors import PermanentError, RetryableError, TimedOutError
from tests.unit.inference.batch_world import HOUR, MINUTE, PLAN, SECOND, SERVED, History, World


def run_that_is_resumed(world: World) -> None:
    world.transforms.dies_after = [2, 1]
    world.deliver(world.start())
    world.pass_time(2 * MINUTE)
    world.models.live_now = SECOND
    world.until_over()


def run_with_a_bad_row(world: World) -> None:
    world.transforms.bad = {"part-1.csv"}
    world.deliver(world.start())
    world.until_over()


def creation_whose_answer_is_lost(world: World) -> None:
    world.transforms.refusals = [TimedOutError("no answer"), RetryableError("ResourceLimitExceeded")]
    world.deliver(world.start())
    world.until_over()


def start_and_stop(world: World) -> None:
    start, stop = world.start(), world.stop()
    for said in (start, start, stop, stop):
        world.deliver(said)
    world.until_over()


def stop_half_way(world: World) -> None:
    world.deliver(world.start())
    world.pass_time(2 * MINUTE)
    world.deliver(world.stop())
    world.until_over()


def two_that_wait(world: World) -> None:
    for said in (world.due(), world.start(), world.due()):
        world.time += 1
        world.deliver(said)
    world.until_over()


def answers_that_are_served(world: World) -> None:
    world.plan = SERVED
    world.executions.loses = [2, 1]
    world.deliver(world.start())
    world.time += 1
    world.deliver(world.start())
    world.until_over()


def served_and_stopped(world: World) -> None:
    world.plan = SERVED
    world.deliver(world.start())
    while (run := world.state.run) is not None and run.stage is not Stage.LOADING:
        world.pass_time(MINUTE)
    world.deliver(world.stop())
    world.until_over()


HISTORIES: list[History] = [
    run_that_is_resumed,
    run_with_a_bad_row,
    creation_whose_answer_is_lost,
    start_and_stop,
    stop_half_way,
    two_that_wait,
    answers_that_are_served,
    served_and_stopped,
]


def lived(history: History, crash_at: int | None = None, *, after: bool = False) -> World:
    world = World()
    world.crash_at, world.crash_after = crash_at, after
    history(world)
    world.until_over()
    world.check_over()
    return world


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("history", HISTORIES)
def test_killed_at_any_call_every_run_still_ends_once(history: History, after: bool) -> None:
    calm = lived(history)
    assert calm.store.runs, "the history must start something"
    for crash_at in calm.points:
        world = lived(history, crash_at, after=after)
        assert len(world.store.runs) == len(calm.store.runs)
        if history is not start_and_stop:
            assert world.outcomes == calm.outcomes
        assert len(world.transforms.by_run) == len(set(world.transforms.by_run))


def differing(world: World, calm: World) -> list[str]:
    """Return why runs ended otherwise than undisturbed."""
    assert len(world.store.runs) == len(calm.store.runs)
    pairs = zip(sorted(world.store.runs), calm.outcomes, strict=True)
    return [world.store.runs[run]["text"] for run, was in pairs if world.store.runs[run]["outcome"] != was]


@pytest.mark.parametrize("history", HISTORIES)
def test_refused_at_any_call_a_run_ends_once_and_fails_only_where_nothing_of_it_goes_on(history: History) -> None:
    calm = lived(history)
    for refused in calm.points:
        world = World()
        world.refused_calls = (refused,)
        history(world)
        world.until_over()
        world.check_over()
        ((stage, name),) = world.refused
        for why in differing(world, calm) if history is not start_and_stop else ():
            assert why == f"AccessDenied: {name}"
            assert stage is Stage.PLANNED or name in ("make", "create"), (stage, name)


NAMES = [
    "see",
    "read",
    "listed",
    "sha256",
    "write",
    "make",
    "create",
    "stop",
    "start",
    "put",
    "remove",
    "report",
    "save",
]


@pytest.mark.parametrize("hours", [0.05, 1, 7])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_refused_for_long_ends_a_run_at_its_limit_and_no_sooner(name: str, hours: float) -> None:
    for begins in range(1, 9):
        world = World(SERVED)
        world.transforms.dies_after = [2]
        world.deliver(world.start())
        world.pass_time(begins * MINUTE)
        world.refused_names = {name: world.time + hours * HOUR}
        world.until_over()
        world.check_over()
        (run,) = world.store.runs.values()
        if hours < PLAN.batch.limit_hours and name not in ("make", "create"):
            assert run["outcome"] == "done", (begins, run["text"])
        told = [each for each in world.faults if "does not get on" in each]
        assert len(told) == len(set(told)) <= 4, "once for each job, loading and the end"


@pytest.mark.parametrize("name", ["see", "read", "listed", "stop", "start"])
def test_a_run_that_is_to_stop_ends_its_own_whatever_is_refused(name: str) -> None:
    for begins in range(1, 12):
        world = World(SERVED)
        world.deliver(world.start())
        world.pass_time(begins * MINUTE)
        world.refused_names = {name: world.time + 30 * MINUTE}
        world.deliver(world.stop())
        world.until_over()
        world.check_over()
        assert world.outcomes in (["stopped"], ["done"])


REFUSALS = st.lists(
    st.sampled_from([None, TimedOutError("lost"), RetryableError("busy"), PermanentError("refused")]), max_size=3
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["start", "due", "stop", "look", "live", "new"]), st.integers(0, 8)), max_size=12
    ),
    st.lists(st.integers(0, 5), max_size=4),
    REFUSALS,
    st.lists(st.tuples(st.integers(1, 120), st.booleans()), max_size=3),
    st.frozensets(st.integers(1, 400), max_size=20),
    st.booleans(),
)
def test_generated_histories_end_well(
    events: Any, deaths: Any, refusals: Any, crashes: Any, refused: Any, served: bool
) -> None:
    world, points = World(SERVED if served else PLAN, objects=3), list(crashes)
    world.refused_calls = refused
    world.transforms.dies_after, world.transforms.refusals = list(deaths), list(refusals)
    for kind, minutes in events:
        if points and world.crash_at is None:
            after, world.crash_after = points.pop(0)
            world.crash_at = world.calls + after
        world.time += 1
        if kind == "live":
            world.models.live_now = SECOND
        elif kind == "new":
            world.objects.content[f"rows/new-{world.time:.0f}.csv"] = b"new"
        else:
            said: Any = {"start": world.start, "due": world.due, "stop": world.stop, "look": Look}[kind]()
            world.deliver(said)
            world.deliver(said)
        world.pass_time(minutes * MINUTE)
    world.crash_at = None
    world.until_over(100 * 3600.0)
    world.check_over()
