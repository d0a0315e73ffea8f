"""How a run must end: said by its scenario and by what was injected, never by the engine."""

from collections.abc import Sequence
from dataclasses import dataclass

from lambdas.rollout.fleet import Fleet

_GIVES_UP_AFTER = 3
"""Failures in one phase after which a rollout may be given up; it takes as many faults."""


@dataclass(frozen=True)
class End:
    """What a scenario comes to.

    Parameters
    ----------
    live
        What is live in the end, as `described`.
    outcomes
        How its rollouts end, one after the other, with nothing injected.
    late
        What may be live instead when delays make people's orders meet another moment than they were meant for.
    """

    live: str
    outcomes: tuple[str, ...]
    late: tuple[str, ...] = ()


@dataclass(frozen=True)
class Struck:
    """The rollout that an alarm went off on, what was live then, and whether it had traffic and could be aborted.

    All names are empty where there was no rollout: the alarm may then strike the one that comes next, or none.
    """

    rollout: str
    coming: str
    stable: str
    must_go_back: bool


@dataclass(frozen=True)
class Injected:
    """What was done to a run, as far as it may change its end."""

    faults: int = 0
    lost: Sequence[str] = ()
    orders: int = 0
    struck: Struck | None = None


def described(version: str, fleet: Fleet) -> str:
    """Name what is live: a version and what it runs on."""
    return f"{version} on {fleet.instance_type}"


def may_be_live(end: End, injected: Injected, past_abort: set[str]) -> set[str] | None:
    """Return what may be live in the end; None where that is open.

    It is open when people did more than the scenario says, and when there were faults enough to give a rollout up.
    """
    struck = injected.struck
    if injected.orders or injected.faults >= _GIVES_UP_AFTER:
        return None
    live = {end.live, *(end.late if injected.faults or injected.lost or struck else ())}
    if struck is None or struck.coming not in ("", end.live):
        return live
    if struck.must_go_back and struck.rollout not in past_abort:
        return {struck.stable, *(live if end.late else ())}
    return {struck.stable, *live}
