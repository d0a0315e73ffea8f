"""One request's rows on their way through the device."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Outputs = tuple[NDArray[Any], ...]
"""One array for each output, their first axis the rows."""


def never() -> bool:
    """Say of a caller whom nobody watches that he is still there."""
    return False


class Ticket:
    """A request that waits for its outputs.

    Made and settled by the event loop; everything between belongs to the device thread.

    Parameters
    ----------
    rows
        Its input, of shape (rows, ...).
    done
        Called by the event loop when the outputs, or the error, are there.
    arrived, deadline
        On the clock of the batcher, in seconds.
    is_gone
        Whether the caller has hung up; called from the device thread.
    """

    __slots__ = ("_parts", "arrived", "deadline", "done", "error", "finished", "is_gone", "rows", "taken")

    def __init__(
        self,
        rows: NDArray[Any],
        done: "Callable[[Ticket], object]",
        arrived: float,
        deadline: float,
        is_gone: Callable[[], bool] = never,
    ) -> None:
        self.rows = rows
        self.done = done
        self.arrived = arrived
        self.deadline = deadline
        self.is_gone = is_gone
        self.taken = 0
        """Rows that have been put into batches."""
        self.finished = 0
        """Rows whose outputs are there."""
        self.error: Exception | None = None
        self._parts: list[Sequence[NDArray[Any]]] = []

    @property
    def left(self) -> int:
        """Rows that wait for a batch."""
        return len(self.rows) - self.taken

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to do for it."""
        return self.error is not None or self.finished == len(self.rows)

    def take(self, count: int) -> "Part":
        """Put the next rows, at most so many, into a batch."""
        part = Part(self, self.taken, min(count, len(self.rows) - self.taken))
        self.taken += part.count
        return part

    def take_all(self) -> "Part":
        """Put all rows into a batch."""
        self.taken = len(self.rows)
        return Part(self, 0, self.taken)

    def give(self, outputs: Sequence[NDArray[Any]], count: int) -> None:
        """Hand over the outputs of the next rows."""
        self._parts.append(outputs)
        self.finished += count

    def fail(self, error: Exception) -> None:
        """Give it up; its first error is the one that is told."""
        if self.error is None:
            self.error = error

    def outputs(self) -> Outputs:
        """Return all outputs; raise what it failed of."""
        if self.error is not None:
            raise self.error
        if len(self._parts) == 1:
            return tuple(self._parts[0])
        return tuple(np.concatenate(each) for each in zip(*self._parts, strict=True))


class Part:
    """Some rows of a ticket, in a batch: `count` of them from `start` on."""

    __slots__ = ("count", "start", "ticket")

    def __init__(self, ticket: Ticket, start: int, count: int) -> None:
        self.ticket = ticket
        self.start = start
        self.count = count

    @property
    def rows(self) -> NDArray[Any]:
        """Its rows; the ticket's own array when it is all of them, for slicing takes time."""
        whole = self.ticket.rows
        return whole if self.count == len(whole) else whole[self.start : self.start + self.count]
