"""Faults on demand, of all parts of the cloud in one place."""

from collections.abc import Callable
from typing import Any

from localcloud.physics.faults import Faults
from localcloud.services.events.faults import EventFaults, Predicate


class CloudFaults:
    """What tests and rehearsals switch on.

    Parameters
    ----------
    events
        Duplicated and lost events.
    endpoints
        Missing capacity, failing and slow updates; reached by the same names.
    """

    def __init__(self, events: EventFaults, endpoints: Faults) -> None:
        self._events = events
        self.endpoints = endpoints

    @property
    def duplicate_events(self) -> bool:
        """Whether every event is delivered twice."""
        return self._events.duplicate_events

    @duplicate_events.setter
    def duplicate_events(self, on: bool) -> None:
        self._events.duplicate_events = on

    def drop_events(self, predicate: Predicate) -> Callable[[], None]:
        """Lose every event for which `predicate` holds, until the returned function is called."""
        return self._events.drop_events(predicate)

    def clear(self) -> None:
        """End all faults."""
        self._events.clear()
        self.endpoints.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.endpoints, name)
