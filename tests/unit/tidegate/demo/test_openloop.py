from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import Any

import pytest

from tidegate.demo.openloop import OpenLoop


class FakePace:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


class Immediately(Executor):
    """Runs what is submitted at once."""

    def submit(self, call: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        call(*args, **kwargs)
        return Future()


def make_loop(pace: FakePace, count: int, takes: float = 0.0) -> tuple[OpenLoop, list[tuple[int, float, float]]]:
    """Return a loop at 10 requests a second that stops after `count`, and what it sent: (index, due, now)."""
    sent: list[tuple[int, float, float]] = []

    def send(index: int, due: float) -> None:
        sent.append((index, due, pace.now()))
        pace.time += takes
        if len(sent) == count:
            loop.stop()

    loop = OpenLoop(10, send, Immediately(), pace)
    return loop, sent


def test_requests_leave_at_a_steady_rate() -> None:
    pace = FakePace()
    loop, sent = make_loop(pace, 5)
    assert loop.run() == 5
    assert [due for _, due, _ in sent] == pytest.approx([1000.0, 1000.1, 1000.2, 1000.3, 1000.4])
    assert [now for *_, now in sent] == pytest.approx([due for _, due, _ in sent])


def test_late_requests_keep_their_due_instant_and_none_is_skipped() -> None:
    pace = FakePace()
    loop, sent = make_loop(pace, 4, takes=0.25)
    loop.run()
    assert [index for index, *_ in sent] == [0, 1, 2, 3]
    assert [due for _, due, _ in sent] == pytest.approx([1000.0, 1000.1, 1000.2, 1000.3])
    assert [now - due for _, due, now in sent] == pytest.approx([0.0, 0.15, 0.3, 0.45])
    assert pace.slept == []


def test_the_schedule_does_not_drift() -> None:
    pace = FakePace()
    loop, sent = make_loop(pace, 1001, takes=0.03)
    loop.run()
    assert sent[-1][1] == pytest.approx(1100.0)
    assert sent[-1][2] == pytest.approx(1100.0)
