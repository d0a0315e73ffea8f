"""Tests of the waiting for callers who come back together."""

import asyncio
import threading
import time

import numpy as np
import pytest

from model_containers.serving.serving.batching.batcher import Batcher, Limits
from model_containers.serving.serving.batching.cohort import Cohort
from model_containers.serving.serving.batching.ticket import Ticket

BATCH_SECONDS = 0.010
LONGEST = 0.004


class Crowd:
    """Callers, answered by a device that takes `BATCH_SECONDS` for each batch."""

    def __init__(self, longest: float = LONGEST) -> None:
        self.cohort = Cohort(longest)
        self.now = 100.0

    def round(self, rows: int, back_after: float | None, *, waits: bool = False) -> None:
        """Answer so many rows, whose callers come back after a time, or never."""
        self.cohort.answered(rows, self.now, BATCH_SECONDS, waits=waits)
        if back_after is not None:
            for _ in range(rows):
                self.cohort.saw(ticket(self.now + back_after))
        self.now += BATCH_SECONDS

    def rounds_until_trusted(self, most: int = 100, back_after: float | None = 0.001) -> int:
        for number in range(most):
            if self.cohort.is_trusted:
                return number
            self.round(8, back_after)
        return most


def ticket(arrived: float, rows: int = 1) -> Ticket:
    return Ticket(np.zeros((rows, 1)), lambda _: None, arrived, arrived + 30.0)


def test_callers_are_trusted_once_they_have_come_back_at_once_for_some_batches():
    assert 5 <= Crowd().rounds_until_trusted() <= 10


@pytest.mark.parametrize("back_after", [None, 0.006, -0.001], ids=["never", "too late", "before the answer"])
def test_callers_who_do_not_come_back_at_once_are_never_trusted(back_after):
    assert Crowd().rounds_until_trusted(200, back_after) == 200


def test_callers_who_come_on_their_own_are_never_trusted():
    crowd = Crowd()
    for _ in range(200):
        crowd.cohort.answered(8, crowd.now, BATCH_SECONDS, waits=False)
        for number in range(8):  # evenly, as many as are answered
            crowd.cohort.saw(ticket(crowd.now + (number + 0.5) * BATCH_SECONDS / 8))
        crowd.now += BATCH_SECONDS
        assert not crowd.cohort.is_trusted


def test_those_who_are_waited_for_are_missing_until_they_are_back():
    crowd = Crowd()
    crowd.rounds_until_trusted()
    crowd.cohort.answered(3, crowd.now, BATCH_SECONDS, waits=True)
    assert crowd.cohort.missing == 3
    assert crowd.cohort.until == pytest.approx(crowd.now + LONGEST)
    crowd.cohort.saw(ticket(crowd.now + 0.001, rows=2))
    assert crowd.cohort.missing == 1
    crowd.cohort.saw(ticket(crowd.now + 0.002, rows=5))
    assert crowd.cohort.missing == 0


def test_nobody_is_waited_for_while_the_device_goes_on():
    crowd = Crowd()
    crowd.rounds_until_trusted()
    crowd.cohort.answered(3, crowd.now, BATCH_SECONDS, waits=False)
    assert crowd.cohort.missing == 0


def test_a_short_batch_is_worth_a_short_wait_only():
    cohort = Cohort(LONGEST)
    cohort.answered(1, 100.0, 0.002, waits=True)
    assert cohort.until == pytest.approx(100.001)


def test_one_bad_round_is_forgiven_and_two_are_not_for_long():
    crowd = Crowd()
    for _ in range(40):
        crowd.round(8, 0.001)
    crowd.round(8, None, waits=True)
    crowd.round(8, 0.001, waits=True)
    assert crowd.cohort.is_trusted
    for _ in range(3):
        crowd.round(8, None, waits=crowd.cohort.is_trusted)
    assert not crowd.cohort.is_trusted
    assert crowd.rounds_until_trusted() >= 12


def test_nobody_is_trusted_where_waiting_is_switched_off():
    assert Crowd(longest=0.0).rounds_until_trusted(50) == 50


class Sleeper:
    """A device whose batches all take the same time, and the watcher of its sizes."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def refusals(self, _parts, _rows):
        return {}

    def is_well(self):
        return True

    def run(self, rows):
        self.sizes.append(len(rows))
        time.sleep(BATCH_SECONDS)
        return (rows,)

    def batch(self, *_):
        pass

    def shed(self, _reason):
        pass

    def broken(self, error):
        raise error


def sizes_in_closed_loop(callers: int, batches: int, longest: float) -> list[int]:
    """Return the sizes of batches when each caller has one request under way; they begin in two crowds."""
    device = Sleeper()

    async def act() -> None:
        loop, enough = asyncio.get_running_loop(), asyncio.Event()
        batcher = Batcher(loop, device, Limits(batch_rows=16, linger_seconds=longest), device)
        threading.Thread(target=batcher.work, daemon=True).start()

        def call(_: Ticket | None = None) -> None:
            if len(device.sizes) >= batches:
                enough.set()
            else:
                batcher.submit(np.zeros((1, 1)), time.perf_counter(), call)

        call()
        await asyncio.sleep(BATCH_SECONDS / 3)
        for _ in range(callers - 1):
            call()
        await asyncio.wait_for(enough.wait(), 30)
        batcher.close()

    asyncio.run(act())
    return device.sizes


def test_two_crowds_that_take_turns_become_one():
    apart = sizes_in_closed_loop(4, 40, 0.0)
    together = sizes_in_closed_loop(4, 40, LONGEST)
    assert apart[-10:].count(4) <= 2
    assert together[-10:].count(4) >= 8
