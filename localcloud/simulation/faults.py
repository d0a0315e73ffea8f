"""How each kind of fault strikes a call, and which calls it can strike."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from lambdas.rollout.errors import PermanentError, RetryableError, TimedOutError
from localcloud.clock import VirtualClock
from localcloud.physics.faults import Faults
from localcloud.simulation.schedule import Kind

STALL_SECONDS = 3.5
"""A slow answer, that comes within the client's time limit."""

CLIENT_SECONDS = 5.0
"""After this long the client gives a call up."""

LATE_SECONDS = 8.0
VERY_LATE_SECONDS = 27.0
"""When a call that its client has given up is carried out after all; the engine allows for 30 s."""

MUTATIONS = frozenset(
    {
        "endpoints.create_model",
        "endpoints.create_mixed_config",
        "endpoints.create_final_config",
        "endpoints.create_shadow_config",
        "endpoints.update",
        "endpoints.set_weights",
        "endpoints.set_capacity",
        "endpoints.delete",
        "autoscaling.keep",
        "autoscaling.release",
    }
)
"""Calls that change what AWS has."""

EFFECTS = MUTATIONS | {"store.save", "timers.wake", "notifier.tell"}
"""Calls after which something is not as it was."""

PROVISIONS = frozenset({"endpoints.update", "endpoints.set_capacity"})


class KilledError(BaseException):
    """The worker is killed; nothing of the engine's may catch this."""


@dataclass(frozen=True)
class Call:
    """A call that a fault strikes.

    Parameters
    ----------
    clock
        Time; whatever falls due while the call hangs happens.
    deadline
        When its worker is killed.
    physics
        Failures to ask of the endpoint.
    effect
        Carries it out.
    """

    clock: VirtualClock
    deadline: float
    physics: Faults
    effect: Callable[[], Any]


def strike(kind: Kind, call: Call) -> Any:
    """Make a call go wrong in this way, and return its answer if there is one."""
    return _STRIKES[kind](call)


def lasts(kind: Kind, call: Call) -> float:
    """Return until when the fault has effects of its own."""
    if kind is Kind.HANG:
        return call.deadline
    return call.clock.now() + _LASTS.get(kind, 0.0)


def can_strike(kind: Kind, name: str) -> bool:
    """Return whether a fault of this kind makes a difference to the call of this name."""
    if kind in (Kind.UPDATE_FAILS, Kind.NO_CAPACITY, Kind.SLOW_UPDATE):
        return name in PROVISIONS
    if kind in (Kind.CRASH_AFTER, Kind.LATE, Kind.VERY_LATE, Kind.ERROR_AFTER):
        return name in EFFECTS
    return True


def _crash_before(_: Call) -> Any:
    raise KilledError


def _crash_after(call: Call) -> Any:
    call.effect()
    raise KilledError


def _error_after(call: Call) -> Any:
    call.effect()
    raise TimedOutError("InternalFailure: the answer was lost")


def _late(seconds: float, call: Call) -> Any:
    call.clock.call_later(seconds, partial(_quietly, call.effect))
    call.clock.advance(CLIENT_SECONDS)
    raise TimedOutError("no answer came in time")


def _quietly(effect: Callable[[], Any]) -> None:
    # Nobody waits for the answer any more, be it a refusal.
    try:
        effect()
    except Exception:
        return


def _stall(call: Call) -> Any:
    call.clock.advance(STALL_SECONDS)
    return call.effect()


def _hang(call: Call) -> Any:
    call.clock.advance(max(call.deadline - call.clock.now(), 0.0))
    raise KilledError


def _throttle(_: Call) -> Any:
    raise RetryableError("ThrottlingException: Rate exceeded")


def _denied(_: Call) -> Any:
    raise PermanentError("AccessDeniedException: not authorised to perform this action")


def _update_fails(call: Call) -> Any:
    call.physics.fail_update("The primary container did not pass the ping health check.")
    return call.effect()


def _no_capacity(call: Call) -> Any:
    call.physics.insufficient_capacity()
    return call.effect()


def _slow_update(call: Call) -> Any:
    call.physics.slow_update(300.0)
    return call.effect()


_STRIKES: dict[Kind, Callable[[Call], Any]] = {
    Kind.CRASH_BEFORE: _crash_before,
    Kind.CRASH_AFTER: _crash_after,
    Kind.ERROR_AFTER: _error_after,
    Kind.LATE: partial(_late, LATE_SECONDS),
    Kind.VERY_LATE: partial(_late, VERY_LATE_SECONDS),
    Kind.STALL: _stall,
    Kind.HANG: _hang,
    Kind.THROTTLE: _throttle,
    Kind.DENIED: _denied,
    Kind.UPDATE_FAILS: _update_fails,
    Kind.NO_CAPACITY: _no_capacity,
    Kind.SLOW_UPDATE: _slow_update,
}

_LASTS = {
    Kind.LATE: LATE_SECONDS,
    Kind.VERY_LATE: VERY_LATE_SECONDS,
    Kind.STALL: STALL_SECONDS,
}
