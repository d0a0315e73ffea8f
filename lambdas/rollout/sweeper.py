"""The minute's sweep: whatever events and timers were lost, every endpoint is looked at."""

from lambdas.rollout.approvals import Approvals, poke
from lambdas.rollout.engine import Engine
from lambdas.rollout.errors import LeaseHeldError, TidegateError
from lambdas.rollout.ports import Ports


class Sweeper:
    """Looks at every endpoint that is due, and at what was approved."""

    def __init__(self, ports: Ports, engine: Engine) -> None:
        self._ports = ports
        self._engine = engine

    def sweep(self) -> list[str]:
        """Sweep once and return what a person must put right."""
        now = self._ports.clock.now()
        active = self._ports.store.active()
        due = [each.name for each in active if each.wake <= now]
        others = [each.name for each in active if each.wake > now]
        idle = [each.name for each in self._ports.store.idle()]
        # A canary in trouble comes before everything that can wait.
        faults = [fault for name in due for fault in self._take(name)]
        faults += [fault for name in (*due, *others, *idle) for fault in self._take_in(name)]
        return faults + [fault for name in idle for fault in self._take(name)]

    def _take(self, name: str) -> list[str]:
        if not self._engine.has_time():
            poke(self._ports, name)
            return []
        try:
            self._engine.run(name)
        except LeaseHeldError:
            return []
        except TidegateError as error:
            self._ports.log.warning(str(error))
            return [f"{name}: {error}"]
        return []

    def _take_in(self, name: str) -> list[str]:
        if not self._engine.has_time():
            return []
        self._ports.log.bind(endpoint=name, rollout=None, phase=None)
        try:
            Approvals(self._ports).sweep(name, self._engine.has_time)
        except (TidegateError, ValueError) as error:
            self._ports.log.warning(f"the approvals of {name} could not be read: {error}")
            return [f"{name}: {error}"]
        return []
