"""The minute's sweep: whatever events and timers were lost, every endpoint is looked at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lambdas.rollout.approvals import Approvals
from lambdas.rollout.crew import Crew, one_by_one
from lambdas.rollout.engine import Engine
from lambdas.rollout.errors import LeaseHeldError, TidegateError, in_words
from lambdas.rollout.ports import Ports

PERIOD = 60.0
"""Seconds from one sweep to the next."""

SHARE = 50
"""Endpoints at rest, and those whose approvals are gone through, in one sweep; others have their turn in the next."""

APPROVALS_SECONDS = 2.0
"""What the looks leave of a sweep's time, so that rollouts by the thousand never keep approvals out."""


@dataclass(frozen=True)
class Fault:
    """What a person must put right about an endpoint."""

    endpoint: str
    reason: str


class Sweeper:
    """Looks at every endpoint that is due, and at what was approved.

    Parameters
    ----------
    ports, engine
        The world, and what takes endpoints forward in it.
    crew
        Does the looks. Side by side, an endpoint whose calls hang keeps no other waiting.
    """

    def __init__(self, ports: Ports, engine: Engine, crew: Crew = one_by_one) -> None:
        self._ports = ports
        self._engine = engine
        self._crew = crew

    def sweep(self) -> list[Fault]:
        """Sweep once and return what a person must put right; one endpoint's trouble does not keep it from others."""
        now = self._ports.clock.now()
        active = self._ports.store.active()
        idle = [each.name for each in self._ports.store.idle()]
        # A canary in trouble comes before everything that can wait.
        due = self._failing_first([each.name for each in active if each.wake <= now])
        faults = self._look_at(due)
        faults += self._each(self._take_in, _share([*[each.name for each in active], *idle], now))
        return faults + self._each(self._look, _share(idle, now))

    def _failing_first(self, names: list[str]) -> list[str]:
        if len(names) < 2:
            return names
        try:
            failing = self._ports.alarms.failing()
        except TidegateError as error:
            self._ports.log.warning(f"the endpoints are swept in the order of their waiting: {error}")
            return names
        return sorted(names, key=lambda name: name not in failing)

    def _look_at(self, names: list[str]) -> list[Fault]:
        """Look at as many as there is time for, and have `react` look at the others at once."""
        late: list[str] = []

        def look(name: str) -> list[Fault]:
            if self._engine.has_time(APPROVALS_SECONDS):
                return self._look(name)
            late.append(name)
            return []

        if len(names) > 1:
            self._ports.alarms.expect(names)
        faults = self._each(look, names)
        self._hand_over(late)
        return faults

    def _hand_over(self, names: list[str]) -> None:
        if not names:
            return
        try:
            self._ports.timers.wake_all(names)
        except TidegateError as error:
            self._ports.log.warning(f"{len(names)} endpoints must wait for the next sweep: {error}")

    def _look(self, name: str) -> list[Fault]:
        return self._guarded(name, lambda: self._engine.run(name)) if self._engine.has_time() else []

    def _take_in(self, name: str) -> list[Fault]:
        if not self._engine.has_time():
            return []
        self._ports.log.bind(endpoint=name, rollout=None, phase=None)
        return self._guarded(name, lambda: Approvals(self._ports).sweep(name, self._engine.has_time))

    def _each(self, work: Callable[[str], list[Fault]], names: Sequence[str]) -> list[Fault]:
        return [fault for found in self._crew(work, names) for fault in found]

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


def _share(names: list[str], now: float) -> list[str]:
    """Return those whose turn it is.

    Another is the first in every sweep, also in every round of sweeps, so that one that takes all the time cannot keep
    the same others waiting for ever.
    """
    turn = int(now // PERIOD) * SHARE
    first = (turn + turn // len(names)) % len(names) if names else 0
    return (names[first:] + names[:first])[:SHARE]
