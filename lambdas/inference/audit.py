"""What is written down of a prediction: one line of JSON in the log, which a subscription picks out and files.

Only the log is written to, so that no prediction waits for an archive, and none is lost because one is away.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lambdas.inference.settings import Audit

RECORD = "prediction"
LARGEST_BYTES = 240_000
"""A log event holds more by now, but whoever it is passed on to may hold no more than it once did."""

REDACTED = "[redacted]"


@dataclass(frozen=True)
class Prediction:
    """A prediction that was asked for, and what became of it.

    Parameters
    ----------
    id
        By which the caller, the capture and the labels know it.
    at
        When it was asked for, in epoch seconds.
    endpoint
        Who was asked.
    client, caller, subject
        Who is authenticated; on whose behalf it asks; whom the rows are about.
    status
        HTTP status of the answer.
    latency_ms
        How long it took.
    model_version, model_key, variant, answer_source
        Which model answered, from where, and whether by itself (`model`); empty where none did.
    input_hash, rows
        What was asked; the hash is empty when the input was no good.
    input, columns
        The rows, and the names of their values where those are known.
    output, outputs
        The answer's predictions, None for an error; and the names of their values where those are known.
    """

    id: str
    at: float
    endpoint: str
    client: str
    caller: str
    subject: str | None
    status: int
    latency_ms: float
    model_version: str = ""
    model_key: str = ""
    variant: str = ""
    answer_source: str = ""
    input_hash: str = ""
    rows: int = 0
    input: Sequence[Any] | None = None
    columns: Sequence[str] | None = None
    output: Any = None
    outputs: Sequence[str] = ()


def line(prediction: Prediction, settings: Audit) -> str:
    """Return the line that is written of a prediction; it has the columns of `lambdas.contract.AUDIT_COLUMNS`."""
    record = _record(prediction, settings)
    for name in ("input", "output"):
        text = json.dumps(record, separators=(",", ":"))
        # Characters are bytes here: json escapes all that are not ASCII.
        if len(text) <= LARGEST_BYTES:
            return text
        record[name] = _left_out("too large")
    return json.dumps(record, separators=(",", ":"))


def _record(prediction: Prediction, settings: Audit) -> dict[str, Any]:
    return {
        "record": RECORD,
        "id": prediction.id,
        "at": datetime.fromtimestamp(prediction.at, UTC).isoformat(timespec="milliseconds"),
        "endpoint": prediction.endpoint,
        "model_version": prediction.model_version,
        "model_key": prediction.model_key,
        "variant": prediction.variant,
        "client": prediction.client,
        "caller": prediction.caller,
        "subject": prediction.subject,
        "answer_source": prediction.answer_source,
        "input_hash": prediction.input_hash,
        "input": _input(prediction, settings),
        "output": _output(prediction, settings),
        "status": prediction.status,
        "rows": prediction.rows,
        "latency_ms": round(prediction.latency_ms, 3),
    }


def _input(prediction: Prediction, settings: Audit) -> str | None:
    if not settings.keep_input or prediction.input is None:
        return None
    rows = [_named(row, prediction.columns) for row in prediction.input]
    if settings.redacted and not _are_named(rows):
        # Nobody knows which of these values must not be written down.
        return _left_out("the columns are not known, and some are redacted")
    return _written(_redacted(rows, settings.redacted))


def _output(prediction: Prediction, settings: Audit) -> str | None:
    if not settings.keep_output or prediction.output is None:
        return None
    if not _are_named(prediction.output) and _may_be_of_outputs(settings.redacted, prediction):
        return _left_out("the outputs are not known, and some may be redacted")
    return _written(_redacted(prediction.output, settings.redacted))


def _may_be_of_outputs(redacted: frozenset[str], prediction: Prediction) -> bool:
    """Return whether values without names may be redacted ones; where outputs have names, these decide."""
    if prediction.outputs:
        return not redacted.isdisjoint(prediction.outputs)
    return not redacted <= frozenset(prediction.columns or ())


def _are_named(rows: Any) -> bool:
    return isinstance(rows, list) and all(isinstance(row, Mapping) for row in rows)


def _written(value: Any) -> str:
    """Return a value as JSON within JSON: a table has one type for a column, and models have many."""
    return json.dumps(value, separators=(",", ":"))


def _left_out(why: str) -> str:
    return json.dumps({"left_out": why})


def _named(row: Any, columns: Sequence[str] | None) -> Any:
    fits = columns is not None and isinstance(row, list) and len(row) == len(columns)
    return dict(zip(columns or (), row, strict=True)) if fits else row


def _redacted(value: Any, names: frozenset[str]) -> Any:
    if not names:
        return value
    if isinstance(value, Mapping):
        return {name: REDACTED if name in names else _redacted(each, names) for name, each in value.items()}
    return [_redacted(each, names) for each in value] if isinstance(value, list | tuple) else value
