"""Workers of one version that are started ahead of any invocation, and replaced when they end."""

import logging
import threading
import time
from collections.abc import Callable

from localcloud.services.functions.pool import PooledWorker

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.25
_ATTEMPTS = 3
# Their credentials last for twelve hours.
_LONGEST_LIFE_SECONDS = 8 * 3600.0

INIT_FAILED = "FUNCTION_ERROR_INIT_FAILURE"
"""Why there are no workers, as Lambda names it."""


class Allocation:
    """Keeps a number of initialised workers.

    Parameters
    ----------
    start
        Starts a worker.
    wanted
        How many there are to be.
    on_ready
        Called once, when there are that many for the first time.
    """

    def __init__(self, start: Callable[[], PooledWorker], wanted: int, on_ready: Callable[[], None]) -> None:
        self._start = start
        self._wanted = wanted
        self._on_ready: Callable[[], None] | None = on_ready
        self._changed = threading.Condition()
        self._starting: list[PooledWorker] = []
        self._idle: list[PooledWorker] = []
        self._busy: set[PooledWorker] = set()
        self._failures = 0
        self._reached = False
        self._closed = False
        self._thread = threading.Thread(target=self._keep, name="localcloud-provisioned", daemon=True)
        self._thread.start()

    @property
    def available(self) -> int:
        """Return how many are initialised and alive, busy ones among them."""
        with self._changed:
            return sum(worker.alive for worker in (*self._idle, *self._busy))

    @property
    def allocated(self) -> int:
        """Return how many have been started and are alive."""
        with self._changed:
            return sum(worker.alive for worker in self._all())

    @property
    def in_use(self) -> int:
        """Return how many handle an invocation."""
        with self._changed:
            return len(self._busy)

    @property
    def failed(self) -> bool:
        """Whether workers end before they ask for work, again and again."""
        return self._failures >= _ATTEMPTS

    @property
    def ready(self) -> bool:
        """Whether the wanted number has been reached; a worker that is being replaced does not change that."""
        return self._reached

    def take(self) -> PooledWorker | None:
        """Return an idle worker, to be given back; None when there is none."""
        with self._changed:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    self._busy.add(worker)
                    return worker
                worker.kill()
            return None

    def give_back(self, worker: PooledWorker) -> None:
        """Take a worker back; one that is not alive, or one too many, is not kept."""
        with self._changed:
            self._busy.discard(worker)
            keep = worker.alive and not self._closed and len(self._idle) + len(self._busy) < self._wanted
            if keep:
                self._idle.append(worker)
            self._changed.notify_all()
        if not keep:
            worker.kill()

    def resize(self, wanted: int) -> None:
        """Keep another number of workers, and try again where they could not be started."""
        with self._changed:
            self._wanted, self._failures = wanted, 0
            self._reached = len(self._idle) + len(self._busy) >= wanted
            self._changed.notify_all()

    def kill(self) -> list[int]:
        """Kill all workers, as ``kill -9`` does, and return their process ids; others follow."""
        with self._changed:
            workers = self._all()
        for worker in workers:
            worker.kill()
        return [worker.pid for worker in workers]

    def pids(self) -> list[int]:
        """Return the workers' process ids."""
        with self._changed:
            return [worker.pid for worker in self._all()]

    def retire(self) -> None:
        """Start and hand out no more workers; busy ones end what they do."""
        with self._changed:
            self._closed = True
            workers, self._idle = [*self._idle, *self._starting], []
            self._changed.notify_all()
        for worker in workers:
            worker.kill()

    def close(self) -> list[PooledWorker]:
        """Kill all workers for good and return them, for whoever waits for their end."""
        with self._changed:
            workers = self._all()
        self.retire()
        for worker in workers:
            worker.kill()
        return workers

    def _all(self) -> list[PooledWorker]:
        return [*self._starting, *self._idle, *self._busy]

    def _keep(self) -> None:
        while not self._closed:
            try:
                self._drop()
                self._fill()
            except Exception:
                _log.exception("provisioned workers could not be started")
                self._failures += 1
            with self._changed:
                if not self._closed:
                    self._changed.wait(_LOOK_SECONDS)

    def _drop(self) -> None:
        """Let go of what is dead, too old or too much."""
        with self._changed:
            oldest = time.time() - _LONGEST_LIFE_SECONDS
            gone = [w for w in self._idle if not w.alive or w.started_at < oldest]
            self._idle = [w for w in self._idle if w not in gone]
            while self._idle and len(self._idle) + len(self._busy) > self._wanted:
                gone.append(self._idle.pop())
        for worker in gone:
            worker.kill()

    def _fill(self) -> None:
        """Start what is missing, all at once, and wait for each."""
        for worker in self._started():
            self._admit(worker, worker.await_start())
        on_ready = self._just_ready()
        if on_ready is not None:
            on_ready()

    def _started(self) -> list[PooledWorker]:
        with self._changed:
            missing = 0 if self.failed or self._closed else self._wanted - len(self._all())
        for _ in range(missing):
            worker = self._start()
            with self._changed:
                self._starting.append(worker)
                closed = self._closed
            if closed:
                worker.kill()
        with self._changed:
            return list(self._starting)

    def _admit(self, worker: PooledWorker, initialised: bool) -> None:
        with self._changed:
            self._starting.remove(worker)
            keep = initialised and not self._closed
            if keep:
                self._idle.append(worker)
                self._failures = 0
            elif not self._closed:
                self._failures += 1
        if not keep:
            worker.kill()

    def _just_ready(self) -> Callable[[], None] | None:
        """Return what is to be called at the first time that all are there."""
        with self._changed:
            if self._closed or len(self._idle) + len(self._busy) < self._wanted:
                return None
            self._reached = True
            on_ready, self._on_ready = self._on_ready, None
            return on_ready
