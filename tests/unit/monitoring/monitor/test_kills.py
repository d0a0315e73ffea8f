"""The monitor may be killed before and after each of its calls: the next run completes, with the same result."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest


@cache
def small_baseline(make: Callable[..., Any]) -> Any:
    return make(rows=200)


def scenario(fakes: Any) -> Any:
    world = fakes.World(small_baseline(fakes.make_baseline))
    world.traffic(5, 12)
    world.traffic(65, 9)
    world.label(90, {f"r5-{n}": str(n % 2) for n in range(8)} | {"nobody": "1"})
    return world


def play(world: Any, fakes: Any) -> int:
    """Run until all is done, again after each kill, and return how often it was killed."""
    kills = 0
    for at in (0, 130, 190, 250):
        while True:
            try:
                world.run(at=at)
                break
            except fakes.Crash:
                kills += 1
    return kills


def result(world: Any) -> tuple[Any, ...]:
    """Return all that is left behind, of events each one only once."""
    events = {(event["window"], event["look"]): event for event in world.events.sent}
    return world.files.held, world.records.windows, world.records.cursors, events


def test_it_may_be_killed_at_any_call(fakes: Any) -> None:
    calm = scenario(fakes)
    assert play(calm, fakes) == 0
    steps = calm.fuse.passed
    assert 100 < steps < fakes.MOST_CALLS
    assert len(calm.windows()) == len(set(calm.windows())) == 4  # three windows; labels of the first
    for step in range(1, steps + 1):
        killed = scenario(fakes)
        killed.fuse.blows_at = step
        assert play(killed, fakes) == 1
        assert result(killed) == result(calm), f"killed at step {step}"


def test_a_job_is_started_once_wherever_it_is_killed(fakes: Any) -> None:
    def large() -> Any:
        world = scenario(fakes)
        world.settings.held = replace(world.settings.held, job=fakes.JOB, small_window_bytes=1000)
        return world

    calm = large()
    for at in (0, 130):
        calm.run(at=at)
    for step in range(1, calm.fuse.passed + 1):
        killed = large()
        killed.fuse.blows_at = step
        for at in (0, 130, 131):
            try:
                killed.run(at=at)
            except fakes.Crash:
                killed.run(at=at)
        assert list(killed.jobs.orders) == list(calm.jobs.orders), f"killed at step {step}"


@pytest.mark.parametrize("times", [2, 3])
def test_a_run_that_is_repeated_changes_nothing(fakes: Any, times: int) -> None:
    world = scenario(fakes)
    play(world, fakes)
    before = result(world)
    for _ in range(times):
        world.run(at=250)
    assert result(world) == before
