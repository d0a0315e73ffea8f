"""Faults of event delivery that tests and rehearsals switch on."""

from collections.abc import Callable
from dataclasses import dataclass, field

from localcloud.services.events.envelope import Event

Predicate = Callable[[Event], bool]


@dataclass
class EventFaults:
    """What may happen to events on AWS, on demand.

    Parameters
    ----------
    duplicate_events
        Deliver every event twice to every target, under the same id.
    """

    duplicate_events: bool = False
    _dropped: list[Predicate] = field(default_factory=list)

    def drop_events(self, predicate: Predicate) -> Callable[[], None]:
        """Lose every event for which `predicate` holds, until the returned function is called."""
        self._dropped.append(predicate)
        return lambda: self._dropped.remove(predicate) if predicate in self._dropped else None

    def loses(self, event: Event) -> bool:
        """Whether an event is to be lost."""
        return any(predicate(event) for predicate in self._dropped)

    def clear(self) -> None:
        """End all faults of event delivery."""
        self.duplicate_events = False
        self._dropped.clear()
