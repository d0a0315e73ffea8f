"""Faults on demand, of all parts of the cloud in one place."""

from collections.abc import Callable
from typing import Any

from localcloud.physics.faults import Faults
from localcloud.services.caches.faults import CacheFaults
from localcloud.services.events.faults import EventFaults, Predicate
from localcloud.services.jobs.faults import JobFaults


class CloudFaults:
    """What tests and rehearsals switch on.

    Parameters
    ----------
    events
        Duplicated and lost events.
    endpoints
        Missing capacity, failing and slow updates; reached by the same names.
    jobs
        Interrupted spot training jobs, transforms whose model server is killed, jobs that fail.
    caches
        Caches that die or hang.
    """

    def __init__(self, events: EventFaults, endpoints: Faults, jobs: JobFaults, caches: CacheFaults) -> None:
        self._events = events
        self.endpoints = endpoints
        self.jobs = jobs
        self.caches = caches

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
        self.jobs.clear()
        self.caches.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.endpoints, name)
