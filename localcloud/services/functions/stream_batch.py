"""Batches of a data stream's records: what an outcome means for them, in Lambda's terms."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from localcloud.services.data_streams.shard import Record
from localcloud.services.functions.invocation import Outcome


@dataclass(frozen=True)
class Batch:
    """Records in order, and how often the function failed on them."""

    records: tuple[Record, ...]
    failures: int = 0

    def split(self, at: int) -> tuple["Batch", "Batch"]:
        """Return the records before a place, and those from it on."""
        return replace(self, records=self.records[:at]), replace(self, records=self.records[at:])

    def failed(self) -> "Batch":
        """Return the batch after one more failure."""
        return replace(self, failures=self.failures + 1)

    def aged(self, before: float) -> int:
        """Return how many records, at the beginning, came before a time."""
        fresh = (index for index, record in enumerate(self.records) if record.arrived_at >= before)
        return next(fresh, len(self.records))


@dataclass(frozen=True)
class Policy:
    """What a mapping does about failures; -1 for retries or seconds means no bound."""

    bisects: bool = False
    reports: bool = False
    retries: int = -1
    longest_age: int = -1

    def after(self, batch: Batch, outcome: Outcome) -> tuple[list[Batch], bool]:
        """Return what remains of a batch after an invocation, in order, and whether it is to be given up.

        Where the function failed, a batch is bisected if that is asked for and possible, which does not count as a
        retry. What the function reported cuts it before its first failed item: that alone is progress. With nothing
        before that it has failed once more, and is not halved: it is cut where the function says, and nowhere else.
        """
        if outcome.error is not None and self.bisects and len(batch.records) > 1:
            return list(batch.split(len(batch.records) // 2)), False
        first = self._first_failure(batch, outcome)
        if first is None:
            return [], False
        if first > 0:
            rest = batch.split(first)[1]
            return [rest if self.bisects else rest.failed()], self._exhausted(rest) and not self.bisects
        return [batch.failed()], self._exhausted(batch)

    def _exhausted(self, batch: Batch) -> bool:
        return 0 <= self.retries <= batch.failures

    def _first_failure(self, batch: Batch, outcome: Outcome) -> int | None:
        """Return the place of the first record that failed; None if none did."""
        if outcome.error is not None:
            return 0
        return _reported(outcome.payload, batch.records) if self.reports else None


def _reported(payload: bytes, records: Sequence[Record]) -> int | None:
    """Return the place of the lowest failure of a partial batch response; one that cannot be read fails them all."""
    try:
        failures = (json.loads(payload) or {}).get("batchItemFailures") or []
        numbers = {str(item["itemIdentifier"]) for item in failures}
    except (ValueError, AttributeError, KeyError, TypeError):
        return 0
    if not numbers:
        return None
    places = {str(record.sequence): place for place, record in enumerate(records)}
    return min(places[number] for number in numbers) if numbers <= places.keys() else 0
