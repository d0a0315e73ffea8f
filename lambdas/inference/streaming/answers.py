"""What is written to the stream of answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.inference.problems import Problem
from lambdas.inference.streaming.records import Source

LARGEST_BYTES = 1024 * 1024
"""Kinesis takes no larger record, its partition key included."""


@dataclass(frozen=True)
class Outcome:
    """What became of a record.

    Parameters
    ----------
    source
        Where it was.
    document
        What is said of it: `predictions`, or an `error`.
    """

    source: Source
    document: Mapping[str, Any]

    def data(self) -> bytes:
        """Return it as it is written; what is too large for the stream is an error."""
        data = self._written(self.document)
        if len(data) + len(self.source.partition_key.encode()) <= LARGEST_BYTES:
            return data
        problem = Problem("too-large", f"the answer has {len(data)} bytes; send fewer rows in a record")
        return self._written(refused(self.source, problem).document)

    def _written(self, document: Mapping[str, Any]) -> bytes:
        source = {"partition_key": self.source.partition_key, "sequence_number": self.source.sequence}
        return json.dumps({"id": self.source.id, "source": source, **document}, separators=(",", ":")).encode()


def refused(source: Source, problem: Problem) -> Outcome:
    """Return the outcome of a record that can never be answered."""
    return Outcome(source, {"error": problem.document()})


def answered(
    source: Source, predictions: Sequence[Any], row: int, prediction: str, version: str, variant: str
) -> Outcome:
    """Return the outcome of a record that was answered.

    Parameters
    ----------
    predictions
        Of its rows.
    row, prediction
        Which row its first was (from 0) of which prediction: the model was asked about several records at once, and by
        these the capture, the audit and labels know them.
    version, variant
        Who answered.
    """
    named = {"model_version": version, "variant": variant}
    told = {name: value for name, value in named.items() if value}
    return Outcome(source, {"predictions": list(predictions), "prediction_id": prediction, "row": row, **told})
