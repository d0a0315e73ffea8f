"""The loaded model as a device: what it must not see is refused, and the rest is run in the sizes that suit it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .batching.ticket import Outputs, Part, Ticket
from .device.buckets import Splits
from .guard import Guard
from .observability.logs import LOGGER
from .problems import ModelFailedError, ProblemError

if TYPE_CHECKING:  # imports ONNX Runtime, which takes long
    from .device import Session
    from .observability.metrics import Metrics


class Inference:
    """Implements `batching.ports.Device` and `batching.ports.Watcher`.

    Parameters
    ----------
    session
        Runs the model.
    guard
        Knows what the model may see.
    metrics
        Counts what was run, refused and predicted.
    sample
        Rows on which the model must not fail.
    """

    def __init__(self, session: "Session", guard: Guard, metrics: "Metrics", sample: NDArray[Any]) -> None:
        self._sample = sample[:1]
        self._session = session
        self._guard = guard
        self._metrics = metrics
        self._splits = Splits(session.buckets, session.bucket_seconds) if session.buckets else None
        self._padded = 0

    def refusals(self, parts: Sequence[Part], rows: NDArray[Any]) -> dict[Ticket, ProblemError]:
        """Return the tickets whose rows the signature does not allow."""
        bad = self._guard.offending(rows)
        if bad is None:
            return {}
        self._metrics.refused_input(self._guard.refused_cells(bad))
        found, start = {}, 0
        for part in parts:
            if bad[start : start + part.count].any():
                found[part.ticket] = self._refusal(part.ticket)
            start += part.count
        return found

    def _refusal(self, ticket: Ticket) -> ProblemError:
        # All its rows, so that the numbers are those of the request whatever part of it is being run.
        bad = self._guard.offending(ticket.rows)
        assert bad is not None
        return self._guard.refusal(ticket.rows, bad)

    def run(self, rows: NDArray[Any]) -> Outputs:
        """Return the outputs of rows."""
        prepared = self._guard.prepare(rows)
        return self._session.run(prepared) if self._splits is None else self._in_buckets(prepared, self._splits)

    def is_well(self) -> bool:
        """Return whether the model still runs on its own sample."""
        try:
            self.run(self._sample)
        except ModelFailedError as error:
            LOGGER.error("the model fails on its own sample", extra={"error": str(error)[:300]})
            return False
        return True

    def _in_buckets(self, rows: NDArray[np.float32], splits: Splits) -> Outputs:
        """Run rows in the sizes that the device takes; the last is filled up with copies of the last row."""
        sizes = splits.split(len(rows))
        self._padded = sum(sizes) - len(rows)
        if self._padded:
            rows = np.concatenate([rows, np.repeat(rows[-1:], self._padded, axis=0)])
        runs, start = [], 0
        for size in sizes:
            runs.append(self._session.run(rows[start : start + size]))
            start += size
        wanted = start - self._padded
        return tuple(np.concatenate(each)[:wanted] for each in zip(*runs, strict=True))

    def batch(self, parts: Sequence[Part], began: float, compute_seconds: float, outputs: Outputs) -> None:
        """Take note of a batch that was run."""
        self._metrics.predictions(outputs)
        waited = [began - part.ticket.arrived for part in parts]
        self._metrics.batch(sum([part.count for part in parts]), len(parts), self._padded, waited, compute_seconds)

    def shed(self, reason: str) -> None:
        """Take note of a request that was given up."""
        self._metrics.shed(reason)

    def broken(self, error: Exception) -> None:
        """Log an error that nobody foresaw."""
        LOGGER.error("a batch broke", exc_info=error)
