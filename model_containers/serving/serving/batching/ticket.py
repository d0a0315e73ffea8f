"""One request's rows on their way through the device."""

import asyncio
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
    future
        Takes the outputs, or the error.
    arrived, deadline
        On the clock of the batcher, in seconds.
    is_gone
        Whether the caller has hung up; called from the device thread.
    """

    __slots__ = ("_parts", "arrived", "deadline", "done", "error", "future", "is_gone", "rows", "taken")

    def __init__(
        self,
        rows: NDArray[Any],
        future: "asyncio.Future[Outputs]",
        arrived: float,
        deadline: float,
        is_gone: Callable[[], bool] = never,
    ) -> None:
        self.rows = rows
        self.future = future
        self.arrived = arrived
        self.deadline = deadline
        self.is_gone = is_gone
        self.taken = 0
        """Rows that have been put into batches."""
        self.done = 0
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
        return self.error is not None or self.done == len(self.rows)

    def take(self, count: int) -> "Part":
        """Put the next rows, at most so many, into a batch."""
        start, stop = self.taken, min(self.taken + count, len(self.rows))
        self.taken = stop
        return Part(self, start, stop)

    def give(self, outputs: Sequence[NDArray[Any]], count: int) -> None:
        """Hand over the outputs of the next rows."""
        self._parts.append(outputs)
        self.done += count

    def fail(self, error: Exception) -> None:
        """Give it up; its first error is the one that is told."""
        if self.error is None:
            self.error = error

    def outputs(self) -> Outputs:
        """Return all outputs."""
        if len(self._parts) == 1:
            return tuple(self._parts[0])
        return tuple(np.concatenate(each) for each in zip(*self._parts, strict=True))

    def settle(self) -> None:
        """Wake whoever waits, unless he has stopped waiting; called by the event loop."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.outputs())


class Part:
    """Some rows of a ticket, in a batch."""

    __slots__ = ("start", "stop", "ticket")

    def __init__(self, ticket: Ticket, start: int, stop: int) -> None:
        self.ticket = ticket
        self.start = start
        self.stop = stop

    def __len__(self) -> int:
        """Return how many rows it has."""
        return self.stop - self.start

    @property
    def rows(self) -> NDArray[Any]:
        """Its rows; the ticket's own array when it is all of them, for slicing takes time."""
        whole = self.ticket.rows
        return whole if len(self) == len(whole) else whole[self.start : self.stop]
