"""Several records in one request to the model, for most of what a request costs does not depend on its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from lambdas.inference.problems import Problem
from lambdas.inference.streaming.records import Record, Source

_ID_LENGTH = 32


@dataclass(frozen=True)
class Entry:
    """A record that was read.

    Parameters
    ----------
    source
        Where it was.
    rows
        Its rows; none where it can never be answered.
    size
        Its bytes.
    problem
        Why it can never be answered.
    """

    source: Source
    rows: Sequence[Any]
    size: int
    problem: Problem | None = None


@dataclass(frozen=True)
class Limits:
    """Most that one request to the model holds."""

    rows: int
    bytes: int


def batches(entries: Sequence[Entry], limits: Limits) -> Iterator[list[Entry]]:
    """Yield neighbours that fit into one request, in their order."""
    batch: list[Entry] = []
    rows = size = 0
    for entry in entries:
        if batch and (rows + len(entry.rows) > limits.rows or size + entry.size > limits.bytes):
            yield batch
            batch, rows, size = [], 0, 0
        batch.append(entry)
        rows, size = rows + len(entry.rows), size + entry.size
    if batch:
        yield batch


def prediction_id(entries: Sequence[Entry]) -> str:
    """Return what a request about some records is known by: the same when it is made again."""
    ends = f"{entries[0].source.id} {entries[-1].source.id}"
    return sha256(ends.encode()).hexdigest()[:_ID_LENGTH]


def entry_of(record: Record, rows: Sequence[Any]) -> Entry:
    """Return a record with its rows."""
    return Entry(record.source, rows, len(record.data))


def hopeless(record: Record, problem: Problem) -> Entry:
    """Return a record that can never be answered."""
    return Entry(record.source, (), 0, problem)
