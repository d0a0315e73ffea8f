"""The batcher with a device that the test holds up, fails, and looks into."""

import asyncio
import threading
import time

import numpy as np
import pytest

from model_containers.serving.serving.batching.batcher import Batcher, Limits
from model_containers.serving.serving.batching.ticket import Ticket, never
from model_containers.serving.serving.problems import ModelFailedError, ProblemError, malformed


class Device:
    """Doubles what it is given; waits for `free` before every batch, fails on 13, and must not see 0."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.free = threading.Event()
        self.busy = threading.Event()
        self.free.set()
        self.shed_reasons: list[str] = []
        self.errors: list[Exception] = []
        self.surprise: Exception | None = None
        self.well = True

    def is_well(self):
        return self.well

    def refusals(self, parts, _rows):
        return {part.ticket: malformed("zero") for part in parts if (part.ticket.rows == 0).any()}

    def run(self, rows):
        self.busy.set()
        assert self.free.wait(30)
        self.batches.append(rows[:, 0].tolist())
        if self.surprise is not None:
            raise self.surprise
        if (rows == 13).any():
            raise ModelFailedError("thirteen")
        return (rows[:, 0] * 2, rows[:, 0] + 1)

    def batch(self, parts, began, compute_seconds, outputs):
        assert compute_seconds >= 0

    def shed(self, reason):
        self.shed_reasons.append(reason)

    def broken(self, error):
        self.errors.append(error)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def column(*values: float) -> np.ndarray:
    return np.array([[value] for value in values])


class Submitter:
    """A batcher whose requests are awaited."""

    def __init__(self, batcher: Batcher) -> None:
        self.raw = batcher

    def __getattr__(self, name: str):
        return getattr(self.raw, name)

    def submit(self, rows, arrived, is_gone=never) -> asyncio.Future:
        future = asyncio.get_running_loop().create_future()

        def done(ticket: Ticket) -> None:
            if ticket.error is None:
                future.set_result(ticket.outputs())
            else:
                future.set_exception(ticket.error)

        self.raw.submit(rows, arrived, done, is_gone)
        return future


def play(story, limits: Limits | None = None) -> Device:
    """Let an async story have a batcher, its device and its clock."""
    device, clock = Device(), Clock()

    async def act():
        batcher = Batcher(asyncio.get_running_loop(), device, limits or Limits(batch_rows=8), device, clock)
        threading.Thread(target=batcher.work, daemon=True).start()
        try:
            await asyncio.wait_for(story(Submitter(batcher), device, clock), 30)
        finally:
            device.free.set()
            batcher.close()

    asyncio.run(act())
    return device


async def while_busy(batcher: Submitter, device: Device, clock: Clock) -> asyncio.Future:
    """Have the device busy with a row of 1, so that what comes next must wait."""
    device.free.clear()
    first = batcher.submit(column(1), clock())
    while not device.busy.is_set():
        await asyncio.sleep(0.001)
    return first


def test_a_lone_request_is_run_at_once_and_gets_its_outputs():
    async def story(batcher, _device, clock):
        double, more = await batcher.submit(column(3, 4), clock())
        assert (double.tolist(), more.tolist()) == ([6, 8], [4, 5])

    assert play(story).batches == [[3, 4]]


def test_what_gathers_while_the_device_works_is_one_batch():
    async def story(batcher, device, clock):
        first = await while_busy(batcher, device, clock)
        later = [batcher.submit(column(value), clock()) for value in (2, 3, 4)]
        device.free.set()
        assert [(await each)[0].tolist() for each in (first, *later)] == [[2], [4], [6], [8]]

    assert play(story).batches == [[1], [2, 3, 4]]


def test_a_request_larger_than_a_batch_is_run_in_parts_and_answered_whole():
    values = list(range(1, 13))

    async def story(batcher, _device, clock):
        double, more = await batcher.submit(column(*values), clock())
        assert double.tolist() == [2 * value for value in values]
        assert more.tolist() == [value + 1 for value in values]

    assert play(story, Limits(batch_rows=5)).batches == [values[:5], values[5:10], values[10:]]


def test_under_a_stream_of_batches_every_request_is_answered_once():
    async def story(batcher, _device, clock):
        async def client(number):
            for turn in range(20):
                value = 100 + 20 * number + turn
                assert (await batcher.submit(column(value), clock()))[0].tolist() == [2 * value]

        await asyncio.gather(*map(client, range(30)))
        assert batcher.rows == 0

    # A second answer would be an error of whoever waits for the first.
    assert play(story, Limits(batch_rows=4)).errors == []


def test_one_who_cannot_be_answered_does_not_keep_the_others_from_their_answers():
    async def story(batcher, device, clock):
        first = await while_busy(batcher, device, clock)
        broken = RuntimeError("of its own")
        batcher.raw.submit(column(2), clock(), lambda _ticket: (_ for _ in ()).throw(broken))
        good = batcher.submit(column(3), clock())
        device.free.set()
        assert (await good)[0].tolist() == [6]
        await first

    assert [str(error) for error in play(story).errors] == ["of its own"]


def test_a_poisonous_row_fails_only_its_own_request():
    async def story(batcher, device, clock):
        first = await while_busy(batcher, device, clock)
        waiting = {value: batcher.submit(column(value), clock()) for value in (2, 3, 13, 4, 5)}
        device.free.set()
        with pytest.raises(ModelFailedError, match="thirteen"):
            await waiting.pop(13)
        for value, each in waiting.items():
            assert (await each)[0].tolist() == [2 * value]
        await first

    play(story)


def test_input_that_the_guard_refuses_is_not_run_and_the_rest_of_its_batch_is():
    async def story(batcher, device, clock):
        first = await while_busy(batcher, device, clock)
        bad, good = batcher.submit(column(0), clock()), batcher.submit(column(7), clock())
        device.free.set()
        with pytest.raises(ProblemError, match="zero"):
            await bad
        assert (await good)[0].tolist() == [14]
        await first

    assert play(story).batches == [[1], [7]]


def test_a_large_request_that_is_refused_in_its_first_part_is_not_run_on():
    async def story(batcher, _device, clock):
        with pytest.raises(ProblemError, match="zero"):
            await batcher.submit(column(*range(40)), clock())
        assert batcher.rows == 0
        await batcher.submit(column(1), clock())

    assert play(story).batches == [[1]]


def test_an_expired_request_is_dropped_and_told_so():
    async def story(batcher, device, clock):
        first = await while_busy(batcher, device, clock)
        late = batcher.submit(column(2), clock())
        clock.now += 31
        device.free.set()
        with pytest.raises(ProblemError, match="deadline"):
            await late
        await first

    device = play(story)
    assert device.batches == [[1]]
    assert device.shed_reasons == ["expired"]


def test_the_request_of_a_caller_who_has_hung_up_is_dropped():
    async def story(batcher, device, clock):
        first = await while_busy(batcher, device, clock)
        abandoned = batcher.submit(column(2), clock(), lambda: True)
        device.free.set()
        with pytest.raises(ProblemError, match="hung up"):
            await abandoned
        await first

    device = play(story)
    assert device.batches == [[1]]
    assert device.shed_reasons == ["abandoned"]


def test_a_request_that_cannot_meet_its_deadline_is_refused_at_once_and_told_when_to_come_again():
    async def story(batcher, device, clock):
        for _ in range(3):
            batcher.pace.learn(8, 4.0)
        first = await while_busy(batcher, device, clock)
        accepted = [batcher.submit(column(*range(1, 9)), clock()) for _ in range(3)]
        with pytest.raises(ProblemError, match=r"would take about 20\.5 s, and is of no use after 30 s") as refused:
            batcher.submit(column(*range(1, 9)), clock())
        assert refused.value.status == 503
        assert refused.value.retry_seconds == 17
        device.free.set()
        await asyncio.gather(first, *accepted)

    assert play(story).shed_reasons == ["deadline"]


def test_a_slow_device_does_not_refuse_a_request_that_finds_it_free():
    async def story(batcher, _device, clock):
        batcher.pace.learn(8, 100.0)
        await batcher.submit(column(1), clock())

    play(story)


def test_no_more_rows_wait_than_may():
    async def story(batcher, device, clock):
        first = await while_busy(batcher, device, clock)
        waiting = batcher.submit(column(1, 2, 3), clock())
        with pytest.raises(ProblemError, match="4 rows are waiting already"):
            batcher.submit(column(1), clock())
        device.free.set()
        await asyncio.gather(first, waiting)
        await batcher.submit(column(1), clock())

    assert play(story, Limits(batch_rows=8, queue_rows=4)).shed_reasons == ["queue_rows"]


def test_an_error_that_nobody_foresaw_fails_its_batch_and_not_the_device():
    async def story(batcher, device, clock):
        device.surprise = ValueError("of all things")
        with pytest.raises(ValueError, match="of all things"):
            await batcher.submit(column(1), clock())
        device.surprise = None
        assert (await batcher.submit(column(2), clock()))[0].tolist() == [4]

    assert [str(error) for error in play(story).errors] == ["of all things"]


def test_a_device_that_hangs_is_stuck_and_one_that_works_is_not():
    async def story(batcher, device, clock):
        assert not batcher.is_stuck(60)
        first = await while_busy(batcher, device, clock)
        clock.now += 59
        assert not batcher.is_stuck(60)
        clock.now += 2
        assert batcher.is_stuck(60)
        device.free.set()
        await first
        assert not batcher.is_stuck(60)

    play(story)


def test_a_device_that_fails_on_everything_its_sample_included_is_unhealthy_until_it_works_again():
    async def story(batcher, device, clock):
        device.well = False
        for count in range(3):
            assert not batcher.is_stuck(60), count
            with pytest.raises(ModelFailedError):
                await batcher.submit(column(13), clock())
        assert batcher.is_stuck(60)
        device.well = True
        await batcher.submit(column(1), clock())
        assert not batcher.is_stuck(60)

    play(story)


def test_input_that_a_model_fails_on_does_not_make_it_unhealthy():
    async def story(batcher, _device, clock):
        for _ in range(5):
            with pytest.raises(ModelFailedError):
                await batcher.submit(column(13), clock())
        assert not batcher.is_stuck(60)

    play(story)


def test_what_was_accepted_is_done_before_the_thread_ends():
    async def story(batcher, device, clock):
        first = await while_busy(batcher, device, clock)
        second = batcher.submit(column(2), clock())
        batcher.close()
        device.free.set()
        await asyncio.gather(first, second)
        while not batcher.is_stuck(60):  # the thread has ended
            await asyncio.sleep(0.001)

    assert play(story).batches == [[1], [2]]


def test_a_round_of_the_loop_that_does_not_end_keeps_neither_the_device_nor_answers_waiting():
    async def story(batcher, device, clock):
        answer = batcher.submit(column(1), clock())
        for _ in range(3):  # no await: the loop does not go round
            batcher.check(1, clock())
            clock.now += 0.01
        wait_until(lambda: device.batches)
        wait_until(lambda: batcher.check(1, clock()) or setattr(clock, "now", clock.now + 0.01) or answer.done())

    assert play(story).batches == [[1]]


def wait_until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)
