"""The workers of one version of a function: as many as run at once, kept warm in between."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from localcloud.services.functions.invocation import Invocation, Outcome

UNRESERVED_CONCURRENCY = 10
"""Invocations of one function at a time, unless it reserves another number (AWS: 1000 for the account)."""

UNRESERVED_WAIT_SECONDS = 10.0
"""How long one more waits for another to end: it is this machine that has no place for it, where AWS would have."""

_MOST_WAITING = 64
"""Each holds a thread of the front, which those that run need as well: for what they call."""

_IDLE_SECONDS = 600.0


class ThrottledError(Exception):
    """All the function's workers are busy and it may not have more."""


class Concurrency:
    """Counts the invocations of one function that run at once on demand, over all its versions."""

    def __init__(self) -> None:
        self._ended = threading.Condition()
        self.running = 0
        self._waiting = 0

    def claim(self, limit: int, seconds: float = 0.0) -> None:
        """Count one more; raise `ThrottledError` when there are `limit` already, and still after some seconds."""
        with self._ended:
            if limit <= 0 or not (self.running < limit or self._freed(limit, seconds)):
                raise ThrottledError
            self.running += 1

    def _freed(self, limit: int, seconds: float) -> bool:
        if self._waiting >= _MOST_WAITING:
            return False
        self._waiting += 1
        try:
            return self._ended.wait_for(lambda: self.running < limit, seconds)
        finally:
            self._waiting -= 1

    def release(self) -> None:
        """Count one less."""
        with self._ended:
            self.running -= 1
            self._ended.notify()


class PooledWorker(Protocol):
    """What the pool needs of a worker."""

    @property
    def started_at(self) -> float:
        """When it was started."""

    @property
    def idle_since(self) -> float:
        """When it last had something to do."""

    @property
    def alive(self) -> bool:
        """Whether it can take an invocation."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def await_start(self) -> bool:
        """Wait until its runtime asks for work; False when it ended, or took too long, before that."""

    def run(self, invocation: Invocation) -> Outcome:
        """Handle one invocation."""

    def kill(self) -> None:
        """Kill it."""

    def join(self, timeout: float) -> None:
        """Wait for its end."""


class WorkerPool:
    """Hands invocations to idle workers, starting more up to a limit.

    Parameters
    ----------
    start
        Starts a worker.
    concurrency
        Counts what runs, of this version and of the function's others.
    """

    def __init__(self, start: Callable[[], PooledWorker], concurrency: Concurrency) -> None:
        self._start = start
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._idle: list[PooledWorker] = []
        self._busy: set[PooledWorker] = set()
        self._generation = 0
        self._closed = False

    def run(self, invocation: Invocation, limit: int, seconds: float = 0.0) -> Outcome:
        """Handle an invocation; raise `ThrottledError` when as many as `limit` of the function run for so long."""
        self._concurrency.claim(limit, seconds)
        try:
            worker, generation = self._claim()
            try:
                return worker.run(invocation)
            finally:
                self._give_back(worker, generation)
        finally:
            self._concurrency.release()

    def _claim(self) -> tuple[PooledWorker, int]:
        with self._lock:
            if self._closed:
                raise ThrottledError
            generation = self._generation
            worker = self._warm()
            if worker is not None:
                self._busy.add(worker)
                return worker, generation
        return self._started(), generation

    def _warm(self) -> PooledWorker | None:
        """Return the worker that was idle for the shortest time, dropping dead and overdue ones."""
        overdue = time.time() - _IDLE_SECONDS
        for worker in [w for w in self._idle if not w.alive or w.idle_since < overdue]:
            worker.kill()
            self._idle.remove(worker)
        return self._idle.pop() if self._idle else None

    def _started(self) -> PooledWorker:
        worker = self._start()
        with self._lock:
            self._busy.add(worker)
            closed = self._closed
        if closed:
            worker.kill()
        return worker

    def _give_back(self, worker: PooledWorker, generation: int) -> None:
        with self._lock:
            self._busy.discard(worker)
            keep = worker.alive and generation == self._generation and not self._closed
            if keep:
                self._idle.append(worker)
        if not keep:
            worker.kill()

    def retire(self) -> None:
        """Let no further invocation meet the present workers: code or configuration has changed."""
        with self._lock:
            self._generation += 1
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.kill()

    def kill(self) -> list[int]:
        """Kill all workers, busy ones in the middle of what they do, and return their process ids."""
        with self._lock:
            workers = [*self._busy, *self._idle]
            self._idle = []
        for worker in workers:
            worker.kill()
        return [worker.pid for worker in workers]

    def close(self) -> list[PooledWorker]:
        """Kill all workers for good and return them, for whoever waits for their end."""
        with self._lock:
            self._closed = True
            workers = [*self._busy, *self._idle]
            self._idle = []
        for worker in workers:
            worker.kill()
        return workers

    def pids(self) -> list[int]:
        """Return the workers' process ids."""
        with self._lock:
            return [worker.pid for worker in (*self._busy, *self._idle)]
