"""The minute's sweep: whatever events and timers were lost, every endpoint is looked at."""

from collections.abc import Callable
from dataclasses import dataclass

from lambdas.rollout.approvals import Approvals, poke
from lambdas.rollout.engine import Engine
from lambdas.rollout.errors import LeaseHeldError, TidegateError, in_words
from lambdas.rollout.ports import Ports

PERIOD = 60.0
"""Seconds from one sweep to the next."""


@dataclass(frozen=True)
class Fault:
    """What a person must put right about an endpoint."""

    endpoint: str
    reason: str


class Sweeper:
    """Looks at every endpoint that is due, and at what was approved."""

    def __init__(self, ports: Ports, engine: Engine) -> None:
        self._ports = ports
        self._engine = engine

    def sweep(self) -> list[Fault]:
        """Sweep once and return what a person must put right; one endpoint's trouble does not keep it from others."""
        now = self._ports.clock.now()
        active = self._ports.store.active()
        due = [each.name for each in active if each.wake <= now]
        others = [each.name for each in active if each.wake > now]
        idle = [each.name for each in self._ports.store.idle()]
        # A canary in trouble comes before everything that can wait.
        faults = [fault for name in due for fault in self._take(name)]
        faults += [fault for name in _in_turn([*due, *others, *idle], now) for fault in self._take_in(name)]
        return faults + [fault for name in idle for fault in self._take(name)]

    def _take(self, name: str) -> list[Fault]:
        if not self._engine.has_time():
            poke(self._ports, name)
            return []
        return self._guarded(name, lambda: self._engine.run(name))

    def _take_in(self, name: str) -> list[Fault]:
        if not self._engine.has_time():
            return []
        self._ports.log.bind(endpoint=name, rollout=None, phase=None)
        return self._guarded(name, lambda: Approvals(self._ports).sweep(name, self._engine.has_time))

    def _guarded(self, name: str, work: Callable[[], None]) -> list[Fault]:
        try:
            work()
        except LeaseHeldError:
            return []
        except TidegateError as error:
            return [Fault(name, in_words(error))]
        except Exception as error:
            self._ports.log.exception(f"{name} could not be looked at")
            return [Fault(name, in_words(error))]
        return []


def _in_turn(names: list[str], now: float) -> list[str]:
    # Another is the first in every sweep, so that one that takes all the time cannot keep the last waiting for ever.
    first = int(now // PERIOD) % len(names) if names else 0
    return names[first:] + names[:first]
