"""Functions are killed at every call, and messages come twice: each job ends once, or lies among the dead letters."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.inference.jobs.ports import Answer
from lambdas.inference.problems import Problem
from lambdas.rollout.errors import PermanentError, RetryableError, TimedOutError
from tests.unit.inference.jobs_world import World

History = Callable[[World], list[str]]


def answered(world: World) -> list[str]:
    job = world.post_until_accepted().id
    world.until_over()
    return [job]


def two_of_them(world: World) -> list[str]:
    jobs = [world.post_until_accepted().id, world.post_until_accepted([[3.0], [4.0]]).id]
    world.until_over()
    return jobs


def busy_at_first(world: World) -> list[str]:
    world.model.says = [Problem("throttled", "slowly")]
    return answered(world)


def busy_for_ever(world: World) -> list[str]:
    world.model.always = Problem("busy", "it has more to do than it can")
    return answered(world)


def refused(world: World) -> list[str]:
    world.model.always = Problem("invalid-input", "row 1 has no dew_point")
    return answered(world)


def answer_that_is_none(world: World) -> list[str]:
    world.model.says = [Answer(b"<html>")] * 9
    return answered(world)


def rows_that_are_gone(world: World) -> list[str]:
    job = world.post_until_accepted().id
    world.files.content.clear()
    world.until_over()
    return [job]


def message_that_comes_twice(world: World) -> list[str]:
    job = world.post_until_accepted().id
    world.queue.send(world.queue.messages[0].body)
    world.until_over()
    return [job]


def posted_again_and_again(world: World) -> list[str]:
    jobs = set()
    for _ in range(3):
        jobs.add(world.post_until_accepted(key="k").id)
    world.until_over()
    jobs.add(world.post_until_accepted(key="k").id)
    world.until_over()
    return list(jobs)


HISTORIES: list[History] = [
    answered,
    two_of_them,
    busy_at_first,
    busy_for_ever,
    refused,
    answer_that_is_none,
    rows_that_are_gone,
    message_that_comes_twice,
    posted_again_and_again,
]


def lived(history: History, crash_at: int | None = None, *, after: bool = False) -> tuple[World, list[str]]:
    world = World()
    world.crash_at, world.crash_after = crash_at, after
    jobs = history(world)
    world.check(*jobs)
    return world, jobs


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("history", HISTORIES)
def test_killed_at_any_call_each_job_still_ends_once(history: History, after: bool) -> None:
    calm, jobs = lived(history)
    ends = [calm.job(job).status for job in jobs]
    for crash_at in range(1, calm.calls + 1):
        world, found = lived(history, crash_at, after=after)
        assert [world.job(job).status for job in found] == ends, f"killed at call {crash_at}"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", ["ask", "read", "write", "save"])
def test_a_job_whose_worker_is_always_killed_says_so(call: str, after: bool) -> None:
    world = World()
    job = world.post_until_accepted().id
    world.killed_at, world.crash_after = call, after
    for _ in range(4):
        message = world.queue.messages[0]
        world.time = max(world.time, message.visible_at)
        world.deliver(message)
    world.killed_at = ""
    if call != "save" or after:
        assert "began at 2027-01-15T08:" in world.job(job).reason
    world.until_over()
    world.check(job)
    if call in ("ask", "read") or (call == "write" and not after):
        (reason,) = world.reasons(job)
        assert reason.startswith("attempt 3 began at 2027-01-15T08:")
        assert reason.endswith("and never ended: its worker was killed")
        shown, _ = world.show(job)
        assert shown["problem"]["detail"].startswith("the model was asked 3 times")


def test_a_message_that_the_queue_itself_gives_up_has_its_reason_on_the_job() -> None:
    world = World(attempts=100)
    job = world.post_until_accepted().id
    world.killed_at = "ask"
    world.until_over(10 * 86_400.0)
    assert [each.receives for each in world.moved] == [41]
    assert world.job(job).reason.startswith("attempt 40 began at ")
    assert world.job(job).attempted().endswith("and never ended: its worker was killed")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", ["", "load", "save", "send", "announce"])
def test_a_job_that_is_not_answered_ends_before_it_expires(call: str, after: bool) -> None:
    world = World(attempts=50, keep_days=1)
    world.model.always = Problem("busy", "it has more to do than it can")
    job = world.post_until_accepted().id
    world.time = world.job(job).expires - 2 * 3600.0
    for _ in range(3):
        world.deliver(world.queue.messages[0])
        world.time = world.queue.messages[0].visible_at
    world.time = max(world.time, world.job(job).expires - 1790.0)
    world.killed_at, world.crash_after = call, after
    world.deliver(world.queue.messages[0])
    world.killed_at = ""
    world.until_over()
    world.check(job)
    assert world.job(job).ended_at < world.job(job).expires
    assert world.time < world.job(job).expires, "its message is there no longer than it is"
    assert "too soon for an attempt; before: attempt 3: busy" in world.job(job).reason


def test_a_second_message_leaves_a_job_alone_that_is_worked_on() -> None:
    world = World()
    job = world.post_until_accepted().id
    (message,) = world.queue.messages
    world.queue.send(message.body)
    second = world.queue.messages[1]

    said: list[Any] = []

    def meanwhile(*_: Any) -> Any:
        world.model.ask = ask  # type: ignore[method-assign]
        said.append(world.deliver(second))
        return ask(*_)

    ask = world.model.ask
    world.model.ask = meanwhile  # type: ignore[method-assign]
    world.until_over()
    assert world.model.asked == [job]
    assert said[0].seconds >= 60, "it waits for longer than the first worker can live"
    world.check(job)


def test_a_worker_that_was_held_up_cannot_change_an_answer() -> None:
    world = World()
    job = world.post_until_accepted().id
    (message,) = world.queue.messages
    ask = world.model.ask

    def held_up(*arguments: Any) -> Any:
        world.model.ask = ask  # type: ignore[method-assign]
        answer = ask(*arguments)
        world.time += 3600
        world.worker().take(message.body, 60.0)
        return answer

    world.model.ask = held_up  # type: ignore[method-assign]
    world.until_over()
    world.check(job)
    shown, _ = world.show(job)
    assert (shown["predictions"], shown["model_version"]) == ([2], "1.2.0")


ERRORS = st.sampled_from(
    [
        Problem("busy", "later"),
        Problem("throttled", "slowly"),
        Problem("model-failed", "500"),
        TimedOutError("lost"),
        RetryableError("throttled"),
        PermanentError("AccessDenied"),
        KeyError("a bug"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 4),
    st.lists(ERRORS, max_size=8),
    st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=4),
    st.lists(st.integers(0, 3), max_size=3),
)
def test_generated_histories_end_well(jobs: int, says: Any, crashes: Any, doubled: Any) -> None:
    world, points = World(), list(crashes)
    world.model.says = list(says)
    made = [world.post_until_accepted([[float(number)]]).id for number in range(jobs)]
    for number in doubled:
        world.queue.send(world.queue.messages[number % jobs].body)
    while world.queue.messages:
        if points and world.crash_at is None:
            after, world.crash_after = points.pop(0)
            world.crash_at = world.calls + after
        message = min(world.queue.messages, key=lambda each: each.visible_at)
        world.time = max(world.time, message.visible_at)
        world.deliver(message)
    world.check(*made)
