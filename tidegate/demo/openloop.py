"""Open-loop load: requests leave at fixed instants, however long earlier ones take."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from threading import Event
from typing import Protocol

Send = Callable[[int, float], None]
"""Sends request number `index`, which was due at an instant (epoch seconds)."""


class Pace(Protocol):
    """Time as the load generator sees it."""

    def now(self) -> float:
        """Return epoch seconds."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class WallPace:
    """Real time: the wall clock's start, then steady."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Return epoch seconds, never going back."""
        return self._offset + time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class OpenLoop:
    """Hands out requests at a steady rate until told to stop.

    Request number i is due at start + i / rate. One that is late (a busy machine, no free sender) is handed out at once
    and keeps its due instant, so that slowness shows as latency and never as a lower rate.

    Parameters
    ----------
    rate
        Requests per second.
    send
        Sends one request; called on the executor.
    executor
        Where requests are sent from.
    pace
        Time.
    """

    def __init__(self, rate: float, send: Send, executor: Executor, pace: Pace) -> None:
        self._rate = rate
        self._send = send
        self._executor = executor
        self._pace = pace
        self._stopped = Event()

    def stop(self) -> None:
        """Hand out no more requests."""
        self._stopped.set()

    def run(self) -> int:
        """Hand out requests until stopped; return how many."""
        start = self._pace.now()
        index = 0
        while not self._stopped.is_set():
            due = start + index / self._rate
            wait = due - self._pace.now()
            if wait > 0:
                self._pace.sleep(wait)
            self._executor.submit(self._send, index, due)
            index += 1
        return index
