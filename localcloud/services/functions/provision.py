"""Provisioned concurrency of a version or an alias: how much is asked for, and the workers that there are."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localcloud.services.functions.allocation import INIT_FAILED, Allocation
from localcloud.services.functions.function import Function
from localcloud.services.functions.pool import PooledWorker

Start = Callable[[Function], PooledWorker]

# Invocations that came to the old version just before its alias moved still meet its workers.
_GRACE_SECONDS = 1.0


class Provision:
    """The provisioned concurrency under one qualifier.

    An alias that moves keeps the workers of its old version until those of the new one are initialised.

    Parameters
    ----------
    start
        Starts a worker of a version.
    version
        Whose workers they are.
    requested
        How many.
    """

    def __init__(self, start: Start, version: Function, requested: int) -> None:
        self._start = start
        self._lock = threading.Lock()
        self.requested = requested
        self.version = version.version
        self._modified = datetime.now(UTC)
        self._current = self._allocate(version, lambda: None)
        self._coming: Allocation | None = None
        self._coming_version = ""
        self._retired: list[tuple[str, Allocation]] = []

    def resize(self, requested: int) -> None:
        """Ask for another number of workers."""
        with self._lock:
            self.requested, self._modified = requested, datetime.now(UTC)
            for allocation in self._allocations():
                allocation.resize(requested)

    def follow(self, version: Function, arrived: Callable[[], None]) -> None:
        """Start workers of another version; once they are ready they take over, after `arrived` is called."""
        with self._lock:
            before, self._coming = self._coming, None
            if version.version != self.version:
                self._coming_version = version.version
                self._coming = self._allocate(version, lambda: self._take_over(version, arrived))
        if before is not None:
            before.retire()
        if version.version == self.version:
            arrived()

    def _take_over(self, version: Function, arrived: Callable[[], None]) -> None:
        with self._lock:
            if self._coming is None or self._coming_version != version.version:
                return  # the alias was moved on meanwhile
            old, self._current, self._coming = self._current, self._coming, None
            self._retired = [*(pair for pair in self._retired if pair[1].allocated), (self.version, old)]
            self.version = version.version
        arrived()
        ending = threading.Timer(_GRACE_SECONDS, old.retire)
        ending.daemon = True
        ending.start()

    def take(self, version: str) -> tuple[PooledWorker, Allocation] | None:
        """Return an idle worker of a version and what to give it back to; None when there is none."""
        with self._lock:
            having = [(self.version, self._current), *reversed(self._retired)]
        for number, allocation in having:
            worker = allocation.take() if number == version else None
            if worker is not None:
                return worker, allocation
        return None

    @property
    def in_use(self) -> int:
        """Return how many workers handle an invocation."""
        return sum(each.in_use for each in self._everything())

    @property
    def utilisation(self) -> float:
        """Return the share of the workers that handle an invocation."""
        return min(self._current.in_use / max(self._current.available, 1), 1.0)

    def kill(self) -> list[int]:
        """Kill all workers, as ``kill -9`` does, and return their process ids."""
        return [pid for each in self._everything() for pid in each.kill()]

    def pids(self) -> list[int]:
        """Return the workers' process ids."""
        return [pid for each in self._everything() for pid in each.pids()]

    def retire(self) -> None:
        """Let busy workers end what they do, and the others now."""
        for allocation in self._everything():
            allocation.retire()

    def close(self) -> list[PooledWorker]:
        """Kill all workers for good and return them."""
        return [worker for each in self._everything() for worker in each.close()]

    def describe(self) -> dict[str, Any]:
        """Return it as GetProvisionedConcurrencyConfig does."""
        # While an alias moves, what is asked for is asked for the version that it moves to.
        awaited = self._coming or self._current
        status = "FAILED" if awaited.failed else "READY" if awaited.ready else "IN_PROGRESS"
        answer: dict[str, Any] = {
            "RequestedProvisionedConcurrentExecutions": self.requested,
            "AvailableProvisionedConcurrentExecutions": awaited.available,
            "AllocatedProvisionedConcurrentExecutions": awaited.allocated,
            "Status": status,
            "LastModified": self._modified.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        }
        return {**answer, "StatusReason": INIT_FAILED} if awaited.failed else answer

    def _allocate(self, version: Function, on_ready: Callable[[], None]) -> Allocation:
        return Allocation(lambda: self._start(version), self.requested, on_ready)

    def _allocations(self) -> list[Allocation]:
        return [each for each in (self._current, self._coming) if each is not None]

    def _everything(self) -> list[Allocation]:
        return [*self._allocations(), *(allocation for _, allocation in self._retired)]
