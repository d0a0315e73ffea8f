"""All workers of one function: of each version those on demand, and those that are provisioned."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from localcloud.errors import AwsError
from localcloud.services.functions.function import Function
from localcloud.services.functions.invocation import Invocation, Outcome
from localcloud.services.functions.launcher import ON_DEMAND, PROVISIONED
from localcloud.services.functions.pool import (
    UNRESERVED_CONCURRENCY,
    UNRESERVED_WAIT_SECONDS,
    Concurrency,
    PooledWorker,
    WorkerPool,
)
from localcloud.services.functions.provision import Provision

Start = Callable[[Function, str], PooledWorker]
"""Starts a worker of a version, on demand or provisioned."""

Note = Callable[[str, bool, Provision], None]
"""Takes the qualifier of a provision, whether one of its workers handles an invocation, and the provision."""


@dataclass(frozen=True)
class Asked:
    """What an invocation was asked under, and the version that it came to."""

    qualifier: str | None
    version: Function


class Fleet:
    """Runs the invocations of one function.

    Parameters
    ----------
    start
        Starts workers.
    """

    def __init__(self, start: Start) -> None:
        self._start = start
        self._concurrency = Concurrency()
        self._lock = threading.Lock()
        self._pools: dict[str, WorkerPool] = {}
        self._withdrawn: list[Provision] = []
        self.provisions: dict[str, Provision] = {}

    def add(self, version: Function) -> None:
        """Take a version, or the function itself."""
        self._pools[version.version] = WorkerPool(lambda: self._start(version, ON_DEMAND), self._concurrency)

    def remove(self, version: str) -> None:
        """Forget a version and end its workers."""
        self.withdraw(version)
        pool = self._pools.pop(version, None)
        if pool is not None:
            pool.close()

    def provide(self, qualifier: str, version: Function, count: int) -> Provision:
        """Provision workers for a qualifier, or another number of them."""
        with self._lock:
            found = self.provisions.get(qualifier)
            if found is None:
                start = self._start
                found = Provision(lambda wanted: start(wanted, PROVISIONED), version, count)
                self.provisions[qualifier] = found
            else:
                found.resize(count)
            return found

    def withdraw(self, qualifier: str) -> None:
        """End the provisioned workers of a qualifier, if there are any."""
        with self._lock:
            found = self.provisions.pop(qualifier, None)
            if found is None:
                return
            # Busy workers end what they do, and are to be found until then.
            self._withdrawn = [*(each for each in self._withdrawn if each.in_use), found]
        found.retire()

    @property
    def provisioned(self) -> int:
        """Return how many workers are asked for ahead."""
        return sum(each.requested for each in self.provisions.values())

    def run(self, asked: Asked, invocation: Invocation, reserved: int | None, note: Note) -> Outcome:
        """Handle an invocation by a provisioned worker, or else on demand; `ThrottledError` at the limit."""
        found = self._provision(asked)
        if found is None:
            return self._on_demand(asked.version, invocation, reserved)
        qualifier, provision = found
        taken = provision.take(asked.version.version)
        note(qualifier, taken is not None, provision)
        if taken is None:
            return self._on_demand(asked.version, invocation, reserved)
        worker, allocation = taken
        try:
            return worker.run(invocation)
        finally:
            allocation.give_back(worker)

    def _provision(self, asked: Asked) -> tuple[str, Provision] | None:
        """Return what is provisioned for the alias that was asked for, or for the version."""
        for qualifier in (asked.qualifier, asked.version.version):
            provision = self.provisions.get(qualifier or "")
            if provision is not None:
                return str(qualifier), provision
        return None

    def _on_demand(self, version: Function, invocation: Invocation, reserved: int | None) -> Outcome:
        """Run on demand, in what provisioned workers leave of the function's concurrency."""
        limit = max(UNRESERVED_CONCURRENCY, self.provisioned) if reserved is None else reserved
        pool = self._pools.get(version.version)
        if pool is None:  # deleted since it was found
            raise AwsError("ResourceNotFoundException", f"Function not found: {version.arn}:{version.version}", 404)
        return pool.run(invocation, limit - self.provisioned, UNRESERVED_WAIT_SECONDS if reserved is None else 0.0)

    def changed(self, version: str) -> None:
        """Let the next invocation of a version meet it as it is now."""
        self._pools[version].retire()

    def kill(self) -> list[int]:
        """Kill all workers, as ``kill -9`` does, and return their process ids."""
        return [pid for each in self._workers() for pid in each.kill()]

    def pids(self) -> list[int]:
        """Return the workers' process ids."""
        return [pid for each in self._workers() for pid in each.pids()]

    @property
    def busy(self) -> int:
        """Return the number of invocations under way."""
        return self._concurrency.running + sum(each.in_use for each in (*self.provisions.values(), *self._withdrawn))

    def close(self) -> list[PooledWorker]:
        """End all workers and return them."""
        return [worker for each in self._workers() for worker in each.close()]

    def _workers(self) -> list[WorkerPool | Provision]:
        with self._lock:
            return [*self._pools.values(), *self.provisions.values(), *self._withdrawn]
