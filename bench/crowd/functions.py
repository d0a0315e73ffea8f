"""Lambda in virtual time: environments that are warm or not yet, and the timer queue that feeds them in batches."""

import heapq
from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import Any, TypeVar

from bench.crowd.meter import Meter, VirtualTime
from lambdas.rollout.crew import HANDS

POLLERS = 5
"""Lambda's pollers of a queue: each gathers a batch of its own."""

T = TypeVar("T")
R = TypeVar("R")
Post = Callable[[float, Callable[[], None]], None]


class Crew:
    """Implements `lambdas.rollout.crew.Crew`: as many hands as the threads, each with a time of its own."""

    def __init__(self, clock: VirtualTime) -> None:
        self._clock = clock

    def __call__(self, work: Callable[[T], R], things: Iterable[T], /) -> list[R]:
        """Work."""
        given = list(things)
        hands, results = [self._clock.time] * max(1, min(HANDS, len(given))), []
        self._clock.beside = len(hands)
        for thing in given:
            self._clock.time = heapq.heappop(hands)
            results.append(work(thing))
            heapq.heappush(hands, self._clock.time)
        self._clock.time, self._clock.beside = max(hands), 1
        return results


class Function:
    """A function's environments; each takes one invocation at a time."""

    def __init__(self, clock: VirtualTime, meter: Meter, cold_start: float) -> None:
        self._clock, self._meter, self._cold_start = clock, meter, cold_start
        self._free: list[float] = []
        self.most = 0

    def invoke(self, at: float, work: Callable[[], None]) -> float:
        """Run `work`, in a warm environment if there is one, and return when it has ended."""
        self._clock.time = at
        self._meter.use("lambda:Invoke", 1)
        warm = bool(self._free) and self._free[0] <= at
        if warm:
            heapq.heappop(self._free)
        else:
            self._clock.time += self._cold_start
        work()
        heapq.heappush(self._free, self._clock.time)
        self.most = max(self.most, sum(end > at for end in self._free))
        return self._clock.time


class TimerQueue:
    """A queue and its event source: batches, a window in which they are gathered, and so many at a time.

    Parameters
    ----------
    post, handle
        Has something happen later; runs a batch at a time and returns when that has ended.
    size, window, at_once
        The event source's batch size, batching window in seconds, and maximum concurrency.
    """

    def __init__(
        self,
        clock: VirtualTime,
        post: Post,
        handle: Callable[[float, list[Any]], float],
        *,
        size: int,
        window: float,
        at_once: int,
    ) -> None:
        self._clock, self._post, self._handle = clock, post, handle
        self._size, self._window, self._at_once = size, window, at_once
        self._open: dict[int, list[Any]] = {}
        self._backlog: list[Any] = []
        self._running = 0
        self._random = Random(1)

    def add(self, at: float, message: Any) -> None:
        """Take a message that has become visible."""
        poller = self._random.randrange(POLLERS)
        batch = self._open.get(poller)
        if batch is None:
            batch = self._open[poller] = []
            self._post(at + self._window, lambda: self._close(at + self._window, poller, batch))
        batch.append(message)
        if len(batch) >= self._size:
            self._close(at, poller, batch)

    def _close(self, at: float, poller: int, batch: list[Any]) -> None:
        if self._open.get(poller) is not batch:
            return
        del self._open[poller]
        self._backlog += batch
        self._begin(at)

    def _begin(self, at: float) -> None:
        while self._backlog and self._running < self._at_once:
            batch, self._backlog = self._backlog[: self._size], self._backlog[self._size :]
            self._running += 1
            end = self._handle(at, batch)
            self._post(end, partial(self._ended, end))

    def _ended(self, at: float) -> None:
        self._running -= 1
        self._begin(at)
