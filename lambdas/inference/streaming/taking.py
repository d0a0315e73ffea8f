"""Takes a batch of a stream's records, in their order, as far as it comes."""

from collections.abc import Sequence

from lambdas.inference.problems import Problem
from lambdas.inference.streaming.answers import Outcome, refused
from lambdas.inference.streaming.batching import Entry, Limits, batches, entry_of, hopeless
from lambdas.inference.streaming.halving import Found, Halving, Hindrance
from lambdas.inference.streaming.ports import World
from lambdas.inference.streaming.records import Record, rows_of

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Waits for an endpoint in trouble, before the shard's own tries are used up."""


class Taking:
    """Answers the records of a stream.

    Parameters
    ----------
    world
        The world.
    limits
        Most that one request to the model holds.
    needed
        Seconds that a request and what follows of it may take.
    """

    def __init__(self, world: World, limits: Limits, needed: float) -> None:
        self._world, self._limits, self._needed = world, limits, needed

    def take(self, records: Sequence[Record]) -> str | None:
        """Answer records; return the sequence number from which they are to come again, None when all are answered."""
        entries = [self._read(record) for record in records]
        halving = Halving(self._world, self._needed)
        for batch in batches(entries, self._limits):
            if self._world.left() < self._needed:
                return batch[0].source.sequence
            outcomes = self._patiently(halving, batch)
            missing = self._world.results.put(outcomes)
            done = len(outcomes) if missing is None else missing
            if done < len(batch):
                return batch[done].source.sequence
        return None

    def _read(self, record: Record) -> Entry:
        try:
            rows = rows_of(record.data, self._limits.bytes, self._limits.rows)
            self._world.model.check(rows)
        except Problem as problem:
            return hopeless(record, problem)
        return entry_of(record, rows)

    def _patiently(self, halving: Halving, batch: Sequence[Entry]) -> list[Outcome]:
        found = _asked(halving, batch)
        outcomes = found.outcomes
        for seconds in PAUSES:
            # A record that the model fails on is not waited for: those behind it would wait as well.
            if found.hindrance is not Hindrance.ENDPOINT or self._world.left() < self._needed + seconds:
                break
            self._world.pause(seconds)
            found = _asked(halving, batch[len(outcomes) :])
            outcomes += found.outcomes
        return outcomes


def _asked(halving: Halving, batch: Sequence[Entry]) -> Found:
    """Return what became of records, those among them that can never be answered included."""
    found = halving.ask([entry for entry in batch if entry.problem is None])
    left = iter(found.outcomes)
    outcomes: list[Outcome] = []
    for entry in batch:
        outcome = refused(entry.source, entry.problem) if entry.problem else next(left, None)
        if outcome is None:
            break
        outcomes.append(outcome)
    return Found(outcomes, found.hindrance)
