"""What is injected into one run of a scenario. Plain values, so that a run can be told, shrunk and repeated."""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What may go wrong, by the words that a trace uses."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    LATE = "effect lands late"
    VERY_LATE = "effect lands very late"
    ERROR_AFTER = "error after effect"
    STALL = "stall"
    HANG = "hang"
    THROTTLE = "throttle"
    DENIED = "denied"
    UPDATE_FAILS = "update that fails back"
    NO_CAPACITY = "insufficient capacity"
    SLOW_UPDATE = "slow update"
    TWICE = "duplicated event"
    REORDERED = "reordered event"
    LOST = "lost event"


OF_EVENTS = frozenset({Kind.TWICE, Kind.REORDERED, Kind.LOST})
"""Kinds that strike an event's delivery; all others strike a call."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Parameters
    ----------
    kind
        What.
    at
        Number of the call, or of the event for those kinds that strike events; both are counted from the start.
    """

    kind: Kind
    at: int


@dataclass(frozen=True)
class Order:
    """An operator's command or another act of people, `at` seconds after the start.

    `kind` is a command of the engine's, ``declare fleet``, a decision on a version (``approve version``, ``reject
    version``) or `hand.CONSOLE`; `detail` is what it is about, such as a version.
    """

    kind: str
    at: float
    detail: str = ""


@dataclass(frozen=True)
class Schedule:
    """Everything that is injected into one run.

    Parameters
    ----------
    scenario
        Name of the base: policy, fleet and what happens in any case.
    alarm_at
        Seconds after the start at which the new version's alarm goes off; None for never.
    faults, orders
        What goes wrong, and what people do.
    lost
        Deliveries that fail all the time: ``timers``, ``events``.
    """

    scenario: str
    alarm_at: float | None = None
    faults: tuple[Fault, ...] = ()
    orders: tuple[Order, ...] = ()
    lost: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Schedule":
        """Read the JSON form."""
        return cls(
            scenario=data["scenario"],
            alarm_at=data["alarm_at"],
            faults=tuple(Fault(Kind(each["kind"]), each["at"]) for each in data["faults"]),
            orders=tuple(Order(**each) for each in data["orders"]),
            lost=tuple(data["lost"]),
        )

    def smaller(self) -> "list[Schedule]":
        """Return this schedule without one of its parts, each in turn."""
        fewer = [replace(self, faults=_without(self.faults, index)) for index in range(len(self.faults))]
        fewer += [replace(self, orders=_without(self.orders, index)) for index in range(len(self.orders))]
        fewer += [replace(self, lost=_without(self.lost, index)) for index in range(len(self.lost))]
        return fewer + ([replace(self, alarm_at=None)] if self.alarm_at is not None else [])

    def __str__(self) -> str:
        """Name what is injected, in a line."""
        parts = [
            f"{fault.kind} at {'event' if fault.kind in OF_EVENTS else 'call'} {fault.at}" for fault in self.faults
        ]
        parts += [
            f"{order.kind}{f' {order.detail}' if order.detail else ''} at {order.at:.2f} s" for order in self.orders
        ]
        parts += [f"all {what} lost" for what in self.lost]
        parts += [f"alarm at {self.alarm_at:.2f} s"] if self.alarm_at is not None else []
        return f"{self.scenario}: {', '.join(parts) or 'nothing injected'}"


def _without(parts: tuple[Any, ...], index: int) -> tuple[Any, ...]:
    return parts[:index] + parts[index + 1 :]
