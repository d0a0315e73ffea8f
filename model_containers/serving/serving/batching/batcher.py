"""The batcher: when the device is free it takes what waits, up to a batch.

Greedy: a lone request is run at once, and under load batches fill by themselves, because requests gather while the
device works. A fixed waiting time would only add to what a lone client waits. Only those are waited for who have shown
that they come back at once (`Cohort`).
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..problems import ModelFailedError, ProblemError, unavailable
from .backlog import Backlog
from .cohort import Cohort
from .pace import Pace
from .ports import Device, Watcher
from .ticket import Outputs, Part, Ticket, never

_SUSPICIOUS = 3
"""So many batches in a row, of which nothing came, may be the device's fault and not that of what it was given."""

_CERTAIN = 0.65
"""Share of the deadline by which an answer must be expected: under overload all wait for as long as is allowed, and the
estimate may be short."""

_LONG_ROUND_SECONDS = 0.005

_NO_MORE: list[Ticket] = []


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much is run, and waits, at a time.

    Parameters
    ----------
    batch_rows
        The most rows of a batch.
    queue_rows
        The most rows that wait or are run.
    deadline_seconds
        After which an answer is of no use.
    linger_seconds
        How long a batch that is not full waits at most for callers who come back at once; 0 for not at all.
    """

    batch_rows: int = 64
    queue_rows: int = 100_000
    deadline_seconds: float = 30.0
    linger_seconds: float = 0.0


class Batcher:
    """Runs requests on the device, in batches that the device's thread puts together.

    A request costs one hand-over to that thread, and a batch one for all its requests on the way back.

    Parameters
    ----------
    loop
        The event loop, which calls all that is public here but `work`.
    device
        Runs them.
    limits
        How many at a time.
    watcher
        Told of what happens.
    clock
        Seconds, that only grow.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        device: Device,
        limits: Limits,
        watcher: Watcher,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.rows = 0
        """Rows that wait or are run; known to the event loop only, as all that is counted here."""
        self.busy_since: float | None = None
        self.pace = Pace(limits.batch_rows)
        self._device = device
        self._limits = limits
        self._watcher = watcher
        self._clock = clock
        self._arrivals: list[Ticket] = []
        self._inbox: SimpleQueue[list[Ticket]] = SimpleQueue()
        self._backlog = Backlog(limits.batch_rows)
        self._cohort = Cohort(limits.linger_seconds)
        self._batch_seconds = 0.0
        self._over: list[Ticket] = []
        self._untold: list[tuple[list[Part], float, float, Outputs]] = []
        self._answerable: deque[list[Ticket]] = deque()
        self._round_began = 0.0
        self._closing = False
        self._ended = False
        self._failed_batches = 0
        self._is_broken = False
        self._loop = loop

    # The event loop's side.

    def submit(
        self,
        rows: NDArray[Any],
        arrived: float,
        done: Callable[[Ticket], object],
        is_gone: Callable[[], bool] = never,
    ) -> None:
        """Have rows run; `done` is called with their ticket when its outputs can be had.

        Raises
        ------
        ProblemError
            Status 503: too much waits already, or an answer would come too late.
        """
        count = len(rows)
        self.check(count, arrived)
        self.rows += count
        if not self._arrivals:
            # All that the loop finds in one round goes over together: to be woken once for each would keep the device's
            # thread, and the loop, from their work.
            self._loop.call_soon(self._hand_over)
        self._arrivals.append(Ticket(rows, done, arrived, arrived + self._limits.deadline_seconds, is_gone))

    def check(self, count: int, arrived: float) -> None:
        """Refuse a request of so many rows if it would be refused with them: what is turned away should cost little.

        Raises
        ------
        ProblemError
            Status 503: too much waits already, or an answer would come too late.
        """
        if not self.rows:
            return
        limits, now = self._limits, self._clock()
        self._mind_long_rounds(now)
        waiting = self.rows
        if not waiting:
            return
        if waiting + count > limits.queue_rows:
            raise self._refused(f"{waiting} rows are waiting already", "queue_rows")
        wait = self.pace.seconds_for(waiting + count)
        if now + wait > arrived + _CERTAIN * limits.deadline_seconds:
            late = f"an answer would take about {wait:.1f} s, and is of no use after {limits.deadline_seconds:g} s"
            raise self._refused(late, "deadline")

    def _mind_long_rounds(self, now: float) -> None:
        """Do what is due between two rounds of the loop also within one that does not end.

        While a thousand connections or more can be read at a time, libuv goes on reading for up to 48 thousand requests
        before it calls what waits to be called: the device would stand still, and answers lie about, for a second.
        """
        if not self._round_began:
            self._round_began = now
            self._loop.call_soon(self._end_round)
        elif now - self._round_began > _LONG_ROUND_SECONDS:
            self._round_began = now
            if self._arrivals:
                self._hand_over()
            self._settle()

    def _end_round(self) -> None:
        self._round_began = 0.0

    def _hand_over(self) -> None:
        arrivals, self._arrivals = self._arrivals, []
        if arrivals:  # which may have been handed over already
            self._inbox.put(arrivals)

    def is_stuck(self, after_seconds: float) -> bool:
        """Return whether the device has been at one batch for longer than that, fails on everything, or has ended."""
        since = self.busy_since
        return self._ended or self._is_broken or (since is not None and self._clock() - since > after_seconds)

    def close(self) -> None:
        """Let the device's thread end when it has done what it was given."""
        self._loop.call_soon(self._inbox.put, _NO_MORE)

    def _refused(self, why: str, reason: str) -> ProblemError:
        self._watcher.shed(reason)
        return unavailable(f"{why}; try again shortly", self.pace.seconds_for(self.rows))

    def _settle(self) -> None:
        """Answer what is over."""
        while self._answerable:
            for ticket in self._answerable.popleft():
                self.rows -= len(ticket.rows)
                try:
                    ticket.done(ticket)
                except Exception as error:  # the others must have their answers all the same
                    self._watcher.broken(error)

    # The device thread's side.

    def work(self) -> None:
        """Be the device's thread, until there is nothing more to do after `close`."""
        try:
            while not self._closing or self._backlog:
                self._receive()
                self._next_batch()
        finally:
            self._hand_back()
            self._ended = True

    def _next_batch(self) -> None:
        now = self._clock()
        parts, dropped = self._backlog.batch(lambda ticket: self._is_awaited(ticket, now))
        self._over += dropped
        if parts:
            finished = self._done_with(parts, now)  # which hands back what was over before
            self._over += finished
        if not self._backlog and self._inbox.empty():
            self._hand_back()
        self._tell()

    def _tell(self) -> None:
        """Tell of the batches that were run: after the answers, where these need not wait for the next batch."""
        for batch in self._untold:
            self._watcher.batch(*batch)
        self._untold.clear()

    def _receive(self) -> None:
        """Take in what has come; wait for it if there is nothing else to do, or if more is about to come."""
        self._take_in()
        if self._cohort.is_trusted and not self._is_full():
            self._hand_back()
        if not self._backlog and not self._closing:
            self._add(self._inbox.get())
            self._take_in()
        self._linger()

    def _take_in(self) -> None:
        with suppress(Empty):
            while True:
                self._add(self._inbox.get_nowait())

    def _linger(self) -> None:
        """Wait a little for those who were answered last, if there is room for them."""
        cohort = self._cohort
        with suppress(Empty):
            while cohort.missing and not self._closing and not self._is_full():
                left = cohort.until - self._clock()
                if left <= 0:
                    break
                self._add(self._inbox.get(timeout=left))
                self._take_in()

    def _is_full(self) -> bool:
        most = self._limits.batch_rows
        return self._backlog.rows(most) >= most

    def _add(self, tickets: list[Ticket]) -> None:
        self._closing = self._closing or tickets is _NO_MORE
        for ticket in tickets:
            self._backlog.add(ticket)
            self._cohort.saw(ticket)

    def _done_with(self, parts: list[Part], now: float) -> list[Ticket]:
        """Run a batch, and return the tickets that are over."""
        self.busy_since = now
        try:
            self._run(parts)
        except Exception as error:
            self._watcher.broken(error)
            for part in parts:
                part.ticket.fail(error)
        self._look_after(parts)
        self.busy_since = None
        self._batch_seconds = self._clock() - now
        return self._finished(parts)

    def _look_after(self, parts: list[Part]) -> None:
        """Find out whether a device that has failed on all of several batches works at all."""
        has_failed = all(isinstance(part.ticket.error, ModelFailedError) for part in parts)
        self._failed_batches = self._failed_batches + 1 if has_failed else 0
        if not has_failed:
            self._is_broken = False
        elif self._failed_batches >= _SUSPICIOUS:
            self._is_broken = not self._device.is_well()

    def _is_awaited(self, ticket: Ticket, now: float) -> bool:
        if now > ticket.deadline:
            self._watcher.shed("expired")
            ticket.fail(unavailable("the deadline passed while the request waited; try again shortly"))
        elif ticket.is_gone():
            self._watcher.shed("abandoned")
            ticket.fail(unavailable("the caller has hung up"))
        return ticket.error is None

    def _finished(self, parts: list[Part]) -> list[Ticket]:
        over = [part.ticket for part in parts if part.ticket.is_over]
        for ticket in over:
            if ticket.left:
                self._backlog.drop(ticket)
        return over

    def _run(self, parts: list[Part]) -> None:
        """Run what the model may see of a batch."""
        rows = _together(parts)
        refused = self._device.refusals(parts, rows)
        if refused:
            for ticket, problem in refused.items():
                ticket.fail(problem)
            parts = [part for part in parts if part.ticket not in refused]
            if not parts:
                return
            rows = _together(parts)
        self._compute(parts, rows)

    def _compute(self, parts: list[Part], rows: NDArray[Any]) -> None:
        # Only now, when the device is about to be busy again: the loop, once woken, competes with this thread for the
        # interpreter, and the device would wait for what the loop makes of the last batch.
        self._hand_back(waits=False)
        began = self._clock()
        try:
            outputs = self._device.run(rows)
        except ModelFailedError as error:
            self._halve(parts, error)
            return
        seconds = self._clock() - began
        self.pace.learn(len(rows), seconds)
        self._untold.append((parts, began, seconds, outputs))
        _share_out(parts, outputs)

    def _halve(self, parts: list[Part], error: ModelFailedError) -> None:
        """Find out whose rows the model fails on: only they are to blame."""
        if len(parts) == 1:
            parts[0].ticket.fail(error)
            return
        middle = len(parts) // 2
        for half in (parts[:middle], parts[middle:]):
            self._compute(half, _together(half))
            self._tell()

    def _hand_back(self, *, waits: bool = True) -> None:
        """Give the loop what is over; `waits` says that the next batch waits for those who are answered."""
        over, self._over = self._over, []
        if over:
            rows = sum([len(ticket.rows) for ticket in over])
            self._cohort.answered(rows, self._clock(), self._batch_seconds, waits=waits and self._cohort.is_trusted)
            self._answerable.append(over)
            with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._settle)


def _together(parts: Sequence[Part]) -> NDArray[Any]:
    if len(parts) == 1:
        return parts[0].rows
    return np.concatenate([part.rows for part in parts])


def _share_out(parts: Sequence[Part], outputs: Outputs) -> None:
    if len(parts) == 1:
        parts[0].ticket.give(outputs, parts[0].count)
        return
    start = 0
    for part in parts:
        stop = start + part.count
        part.ticket.give([each[start:stop] for each in outputs], part.count)
        start = stop
