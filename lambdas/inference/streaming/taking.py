"""Takes a batch of a stream's records, in their order, as far as it comes."""

import json
from collections.abc import Sequence
from typing import Any

from lambdas.inference.predicting import Answered
from lambdas.inference.problems import Problem, is_callers_fault
from lambdas.inference.streaming.answers import Outcome, answered, refused
from lambdas.inference.streaming.batching import Entry, Limits, batches, entry_of, hopeless, prediction_id
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
        for batch in batches(entries, self._limits):
            if self._world.left() < self._needed:
                return batch[0].source.sequence
            outcomes = self._patiently(batch)
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

    def _patiently(self, batch: Sequence[Entry]) -> list[Outcome]:
        outcomes = self._outcomes(batch)
        for seconds in PAUSES:
            if len(outcomes) == len(batch) or self._world.left() < self._needed + seconds:
                break
            self._world.pause(seconds)
            outcomes += self._outcomes(batch[len(outcomes) :])
        return outcomes

    def _outcomes(self, batch: Sequence[Entry]) -> list[Outcome]:
        """Return what became of records; fewer than there are where the endpoint is in trouble with the next."""
        asked = [entry for entry in batch if entry.problem is None]
        found = iter(self._asked(asked))
        outcomes: list[Outcome] = []
        for entry in batch:
            outcome = refused(entry.source, entry.problem) if entry.problem else next(found, None)
            if outcome is None:
                break
            outcomes.append(outcome)
        return outcomes

    def _asked(self, entries: Sequence[Entry]) -> list[Outcome]:
        if not entries:
            return []
        try:
            return self._answers(entries)
        except Problem as problem:
            if not is_callers_fault(problem):
                self._world.warn(f"no answer for {len(entries)} records from {entries[0].source.id}: {problem}")
                return []
            if len(entries) == 1:
                return [refused(entries[0].source, problem)]
        # One of them is refused, and the others must not suffer for it.
        middle = len(entries) // 2
        first = self._asked(entries[:middle])
        return first + self._asked(entries[middle:]) if len(first) == middle else first

    def _answers(self, entries: Sequence[Entry]) -> list[Outcome]:
        rows = [row for entry in entries for row in entry.rows]
        identity = prediction_id(entries)
        said = self._world.model.ask(identity, rows)
        predictions = _predictions(said, len(rows))
        version = said.served.version if said.served else ""
        outcomes, place = [], 0
        for entry in entries:
            own = predictions[place : place + len(entry.rows)]
            outcomes.append(answered(entry.source, own, place, identity, version, said.variant))
            place += len(entry.rows)
        return outcomes


def _predictions(said: Answered, rows: int) -> list[Any]:
    try:
        found = json.loads(said.body)["predictions"]
    except (KeyError, TypeError, ValueError) as error:
        raise Problem("model-failed", "the model's answer is not JSON with predictions") from error
    if not isinstance(found, list) or len(found) != rows:
        raise Problem("model-failed", f"the model was asked about {rows} rows and has not answered so many")
    return found
