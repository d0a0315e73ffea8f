"""Events and timers on their way: late, twice, in another order, or never."""

import math
from collections.abc import Callable, Sequence
from functools import partial

from localcloud.clock import VirtualClock
from localcloud.simulation.schedule import OF_EVENTS, Fault, Kind

LONGEST_DELAY = 900
_SECOND_COPY, _LATE_COPY, _DELAYED = 1.0, 40.0, 35.0


class Deliveries:
    """Brings events and timers to the functions.

    Parameters
    ----------
    clock
        Time.
    struck
        Told of every fault that strikes a delivery.
    """

    def __init__(self, clock: VirtualClock, struck: Callable[[Fault, str], None]) -> None:
        self._clock = clock
        self._struck = struck
        self._faults: dict[int, Fault] = {}
        self._lost: frozenset[str] = frozenset()
        self.count = 0

    def arm(self, faults: tuple[Fault, ...], lost: tuple[str, ...]) -> None:
        """Let faults strike when their events come, and lose all deliveries of some kinds."""
        self._faults = {fault.at: fault for fault in faults if fault.kind in OF_EVENTS}
        self._lost = frozenset(lost)

    def post(self, what: str, delay: float, handle: Callable[[], object]) -> None:
        """Deliver something after a delay; `what` is ``event``, ``timer`` or ``command``."""
        self.count += 1
        fault = self._faults.pop(self.count, None) if self._faults else None
        if f"{what}s" in self._lost:
            return
        if fault is not None:
            self._struck(fault, what)
        for later in _copies(fault, what):
            self._clock.call_later(delay + later, handle)

    def timer(self, delay: float, handle: Callable[[], object]) -> None:
        """Deliver a timer with SQS's precision."""
        self.post("timer", max(0, min(math.ceil(delay), LONGEST_DELAY)), handle)


def _copies(fault: Fault | None, what: str) -> tuple[float, ...]:
    if fault is None:
        return (0.0,)
    if fault.kind is Kind.LOST and what == "command":
        # Whoever sent it is told that nothing has come of it, and sends it again.
        return (_DELAYED,)
    return {Kind.TWICE: (0.0, _SECOND_COPY, _LATE_COPY), Kind.REORDERED: (_DELAYED,), Kind.LOST: ()}[fault.kind]


class Timers:
    """Implements `lambdas.rollout.ports.Timers`."""

    def __init__(self, deliveries: Deliveries, wake: Callable[[float | None], object]) -> None:
        self._deliveries = deliveries
        self._wake = wake

    def wake(self, name: str, delay: float, due: float | None = None) -> None:  # noqa: ARG002 - the port's
        """Have the endpoint looked at after `delay` seconds."""
        self._deliveries.timer(delay, partial(self._wake, due))

    def wake_all(self, names: Sequence[str]) -> None:
        """Have all of these endpoints looked at now."""
        for name in names:
            self.wake(name, 0.0)
