"""The first runs of a model: they allocate, capture graphs, and show what a run costs and whether its answers fit."""

from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from .session import Session
from .tensors import Tensors, UnsupportedModelError, sample_rows

if TYPE_CHECKING:
    from ..signature import Signature

RUNS = 3
TIMED_RUNS = 7
ENOUGH_SECONDS = 0.5
"""A bucket is not timed for longer than this: a start must not take minutes for a slow model."""


def warm_up(session: Session, signature: "Signature", tensors: Tensors, rows: int) -> None:
    """Run the model on its own sample.

    Parameters
    ----------
    rows
        How many rows to run.

    Raises
    ------
    ModelFailedError
        If it cannot run it.
    UnsupportedModelError
        If an output does not have one entry for each row.
    """
    sample = sample_rows(signature, tensors, rows)
    for _ in range(RUNS):
        results = session.run(sample)
    for output, result in zip(tensors.outputs, results, strict=True):
        if result.ndim < 1 or len(result) != rows:
            raise UnsupportedModelError(
                f"output {output.name!r} has shape {result.shape} for {rows} rows; needed is one entry for each row"
            )


def timed(session: Session, signature: "Signature", tensors: Tensors, rows: int) -> float:
    """Return the median seconds of a run of this many rows, after `warm_up`."""
    sample = sample_rows(signature, tensors, rows)
    taken: list[float] = []
    while len(taken) < TIMED_RUNS and sum(taken) < ENOUGH_SECONDS:
        began = perf_counter()
        session.run(sample)
        taken.append(perf_counter() - began)
    return median(taken)
