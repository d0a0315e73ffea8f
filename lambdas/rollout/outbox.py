"""What is durable and still to be told. It is told at least once: each look tries again what could not be told."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from lambdas.rollout.errors import ConflictError, PermanentError, TidegateError
from lambdas.rollout.ports import Log

TRIES = 5


class Holder(Protocol):
    """A state with messages; a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def outbox(self) -> tuple[Any, ...]:
        """What is still to be told."""


State = TypeVar("State", bound=Holder)


@dataclass(frozen=True)
class Outbox(Generic[State]):
    """The messages of a durable state.

    Parameters
    ----------
    load, save
        Returns the state; writes it, and raises `ConflictError` when it is no longer what was loaded.
    tell
        Tells one message, or raises a `TidegateError`.
    fault
        Told of a message that nobody takes: a person must see to it.
    log
        Told of what waits.
    """

    load: Callable[[], State]
    save: Callable[[State], object]
    tell: Callable[[Any], None]
    fault: Callable[[str], None]
    log: Log

    def deliver(self) -> None:
        """Tell what is to be told; what could not be is told at the next look."""
        try:
            state = self.load()
            told = [message for message in state.outbox if self._delivered(message)]
            if told:
                self._forget(state, told)
        except TidegateError as error:
            self.log.warning(f"what there is to tell waits: {error}")

    def _delivered(self, message: object) -> bool:
        try:
            self.tell(message)
        except PermanentError as error:
            self.fault(f"a message could not be sent, which is tried again at every look until it can be: {error}")
            return False
        except TidegateError as error:
            self.log.warning(f"a message waits to be sent: {error}")
            return False
        return True

    def _forget(self, state: State, told: list[object]) -> None:
        for _ in range(TRIES):
            left = tuple(message for message in state.outbox if message not in told)
            try:
                self.save(replace(state, outbox=left))
            except ConflictError:
                state = self.load()
                continue
            return
