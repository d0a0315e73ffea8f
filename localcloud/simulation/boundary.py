"""The border between the engine and its world: every call across it takes time, is watched, and may go wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from lambdas.rollout.errors import RetryableError
from localcloud.clock import VirtualClock
from localcloud.physics.faults import Faults
from localcloud.simulation.faults import Call, KilledError, lasts, strike
from localcloud.simulation.schedule import OF_EVENTS, Fault, Kind

CALL_SECONDS = 0.05
WORKER_SECONDS = 25.0
"""The functions' time-out."""

_LAST_CALL_SECONDS = 17.0
"""No call begins later than this in a function."""

_LANDING = frozenset({Kind.LATE, Kind.VERY_LATE})


@dataclass(frozen=True)
class Worker:
    """One invocation of a function."""

    name: str
    began: float

    @property
    def deadline(self) -> float:
        """When the platform kills it."""
        return self.began + WORKER_SECONDS


class Watcher(Protocol):
    """Told of every call."""

    def asked(self, worker: Worker, name: str, arguments: tuple[Any, ...]) -> None:
        """Judge a call that is about to be carried out."""

    def answered(self, worker: Worker, name: str) -> None:
        """Take note of a call that has succeeded."""

    def struck(self, worker: Worker, name: str, fault: Fault, until: float) -> None:
        """Take note of a fault, and of until when it has effects."""


class Boundary:
    """Carries the engine's calls to the world.

    Parameters
    ----------
    clock
        Advances with every call; whatever falls due meanwhile happens, other workers included.
    physics
        Failures to ask of the endpoint.
    watcher
        Told of every call.
    """

    def __init__(self, clock: VirtualClock, physics: Faults, watcher: Watcher) -> None:
        self._clock = clock
        self._physics = physics
        self._watcher = watcher
        self._faults: dict[int, Fault] = {}
        self.calls = 0
        self.tap: Callable[[int, str], None] | None = None
        self.worker = Worker("nobody", clock.now())

    def __getstate__(self) -> dict[str, Any]:
        """Leave out who listens: copies are not their business."""
        return {**self.__dict__, "tap": None}

    def arm(self, faults: tuple[Fault, ...]) -> None:
        """Let faults strike when their calls come."""
        self._faults = {fault.at: fault for fault in faults if fault.kind not in OF_EVENTS}

    def call(self, name: str, method: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Make one call."""
        self.calls += 1
        fault, worker = self._faults.pop(self.calls, None) if self._faults else None, self.worker
        if self.tap is not None:
            self.tap(self.calls, name)
        self._clock.advance(CALL_SECONDS)
        self._check_time(worker)
        if fault is None:
            self._watcher.asked(worker, name, arguments)
            answer = method(*arguments, **options)
        else:
            answer = self._struck(fault, name, arguments, partial(method, *arguments, **options))
        self._watcher.answered(worker, name)
        return answer

    def _struck(self, fault: Fault, name: str, arguments: tuple[Any, ...], effect: Callable[[], Any]) -> Any:
        worker, watcher = self.worker, self._watcher

        def judged() -> Any:
            watcher.asked(worker, name, arguments)
            return effect()

        def landing() -> Any:
            waiting, self.worker = self.worker, worker
            try:
                return effect()
            finally:
                self.worker = waiting

        if fault.kind in _LANDING:
            # Judged as it is sent: what holds when it lands is out of the engine's hands.
            watcher.asked(worker, name, arguments)
        call = Call(self._clock, worker.deadline, self._physics, landing if fault.kind in _LANDING else judged)
        watcher.struck(worker, name, fault, lasts(fault.kind, call))
        return strike(fault.kind, call)

    def _check_time(self, worker: Worker) -> None:
        spent = self._clock.now() - worker.began
        if spent >= WORKER_SECONDS:
            raise KilledError
        if spent > _LAST_CALL_SECONDS:
            raise RetryableError("this invocation has no time left for another call")
