"""What the batcher needs of others: a device that runs rows, and somebody who is told what happens."""

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from ..problems import ProblemError
from .ticket import Outputs, Part, Ticket


class Device(Protocol):
    """What rows are run on; called by the device thread only."""

    def refusals(self, parts: Sequence[Part], rows: NDArray[Any]) -> dict[Ticket, ProblemError]:
        """Return the tickets whose rows the model must not see, and why."""

    def is_well(self) -> bool:
        """Return whether the model runs on what it must run on: its own sample."""

    def run(self, rows: NDArray[Any]) -> Outputs:
        """Return the outputs of a batch.

        Raises
        ------
        ModelFailedError
            When the model fails on it.
        """


class Watcher(Protocol):
    """Told of what happens, for the metrics; called by the device thread."""

    def batch(self, parts: Sequence[Part], began: float, compute_seconds: float, outputs: Outputs) -> None:
        """Take note of a batch that was run, before the next one is."""

    def shed(self, reason: str) -> None:
        """Take note of a request that was given up before it was run."""

    def broken(self, error: Exception) -> None:
        """Take note of an error that nobody foresaw."""
