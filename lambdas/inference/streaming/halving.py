"""Several records in one request to the model, and in halves where that has none to give for them all.

What comes behind a record without an answer is read again, so that only the first such record is looked for: among n
that takes 1 + log2(n) requests, and each further one that fails is made up for by one that is answered.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from lambdas.inference.predicting import Answered
from lambdas.inference.problems import Problem, is_callers_fault
from lambdas.inference.streaming.answers import Outcome, answered, refused
from lambdas.inference.streaming.batching import Entry, prediction_id
from lambdas.inference.streaming.ports import World

_MODEL_FAILED = "model-failed"


class Hindrance(Enum):
    """Why a record has no outcome: the endpoint is in trouble, or the model fails on it and answers others."""

    ENDPOINT = auto()
    RECORD = auto()


@dataclass(frozen=True)
class Found:
    """Outcomes of records in their order, and why the next has none; None where all have one."""

    outcomes: list[Outcome]
    hindrance: Hindrance | None = None


class Halving:
    """Asks the model about records, in one invocation.

    Parameters
    ----------
    world
        The world.
    needed
        Seconds that a request and what follows of it may take: with fewer left, none is made.
    """

    def __init__(self, world: World, needed: float) -> None:
        self._world, self._needed = world, needed
        self._works: bool | None = None

    def ask(self, entries: Sequence[Entry]) -> Found:
        """Return what became of records, as far as it came."""
        found = self._halved(entries)
        if found.hindrance is not Hindrance.RECORD:
            return found
        blamed = entries[len(found.outcomes)]
        if self._works is None:
            # It may fail on everything: one more record tells. As long as it does, halves do no better.
            self._works = not self._halved(entries[1:2]).hindrance and len(entries) > 1
        if self._works:
            self._world.warn(f"the model fails on the record {blamed.source.id}, and answers others")
            return found
        self._world.warn(f"the model fails on whatever it is asked, from {blamed.source.id} on")
        return Found([], Hindrance.ENDPOINT)

    def _halved(self, entries: Sequence[Entry]) -> Found:
        if not entries:
            return Found([])
        if self._world.left() < self._needed:
            return Found([], Hindrance.ENDPOINT)
        try:
            return Found(self._answers(entries))
        except Problem as problem:
            found = self._alone(entries, problem)
        if found is not None:
            return found
        middle = len(entries) // 2
        first = self._halved(entries[:middle])
        if first.hindrance:
            return first
        second = self._halved(entries[middle:])
        return Found(first.outcomes + second.outcomes, second.hindrance)

    def _alone(self, entries: Sequence[Entry], problem: Problem) -> Found | None:
        """Return what a problem means for records; None where it may be one of several that is to blame."""
        if is_callers_fault(problem):
            self._works = True
            return Found([refused(entries[0].source, problem)]) if len(entries) == 1 else None
        if problem.slug == _MODEL_FAILED and self._works is not False:
            return Found([], Hindrance.RECORD) if len(entries) == 1 else None
        self._world.warn(f"no answer for {len(entries)} records from {entries[0].source.id}: {problem}")
        return Found([], Hindrance.ENDPOINT)

    def _answers(self, entries: Sequence[Entry]) -> list[Outcome]:
        rows = [row for entry in entries for row in entry.rows]
        identity = prediction_id(entries)
        said = self._world.model.ask(identity, rows)
        predictions = _predictions(said, len(rows))
        self._works = True
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
        raise Problem(_MODEL_FAILED, "the model's answer is not JSON with predictions") from error
    if not isinstance(found, list) or len(found) != rows:
        raise Problem(_MODEL_FAILED, f"the model was asked about {rows} rows and has not answered so many")
    return found
