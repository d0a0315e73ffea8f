"""The engine's ports, with the boundary between them and what stands behind them."""

from functools import partial
from types import SimpleNamespace
from typing import Any

from lambdas.rollout import ports
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.cloudwatch import CloudWatchAlarms
from lambdas.rollout.ports import Ports
from localcloud.clock import VirtualClock
from localcloud.simulation.alarms import READ_ALARMS, SlotAlarms
from localcloud.simulation.boundary import Boundary

PAUSE_SECONDS = 0.4

_PROTOCOLS: dict[str, type] = {
    "store": ports.Store,
    "endpoints": ports.Endpoints,
    "invoker": ports.Invoker,
    "hooks": ports.Hooks,
    "metrics": ports.Metrics,
    "autoscaling": ports.Autoscaling,
    "trust": ports.Trust,
    "registry": ports.Registry,
    "settings": ports.SettingsSource,
    "timers": ports.Timers,
    "notifier": ports.Notifier,
}


class EngineClock:
    """Implements `lambdas.rollout.ports.Clock` over virtual time."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def now(self) -> float:
        """Return epoch seconds."""
        return self._clock.now()

    def elapsed(self) -> float:
        """Return seconds on a clock that never jumps."""
        return self._clock.now()


class GuardedPorts:
    """Makes the engine's ports, all of whose calls go through the boundary.

    Parameters
    ----------
    boundary, clock, log
        The boundary, time, and where the engine writes its log.
    alarms
        CloudWatch's client.
    targets
        What stands behind the other ports, by name.
    """

    def __init__(self, boundary: Boundary, clock: VirtualClock, log: Any, alarms: SlotAlarms, **targets: Any) -> None:
        watched: Any = {name: _guarded(boundary, name, target) for name, target in targets.items()}
        describe = partial(boundary.call, READ_ALARMS, alarms.describe_alarms)
        client = SimpleNamespace(describe_alarms=describe)
        self._clock = clock
        self._cloudwatch = Lazy("cloudwatch", lambda _: client)
        self._ports = Ports(clock=EngineClock(clock), log=log, alarms=CloudWatchAlarms(self._cloudwatch), **watched)

    def for_one_invocation(self) -> Ports:
        """Return the ports; what one invocation has heard of alarms, no other knows."""
        alarms = CloudWatchAlarms(self._cloudwatch, self._clock.now, self._pause)
        # As `dataclasses.replace` does, in a fraction of the time: there are millions of invocations.
        ports = object.__new__(Ports)
        ports.__dict__.update(self._ports.__dict__, alarms=alarms)
        return ports

    def _pause(self, _seconds: float) -> None:
        # Always the same, whatever the dice say: a schedule must be the same every time.
        self._clock.advance(PAUSE_SECONDS)


def _guarded(boundary: Boundary, port: str, target: Any) -> Any:
    methods = [name for name in vars(_PROTOCOLS[port]) if not name.startswith("_")]
    return SimpleNamespace(
        **{name: partial(boundary.call, f"{port}.{name}", getattr(target, name)) for name in methods}
    )
