"""What a batch transform does with records on their way to the model and back: filters, and the join of both.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html and DataProcessing in SageMaker's
API reference. A row of CSV is taken for a JSON array, which the answer's cells are added to; to an object of JSON Lines
the answer is added as ``SageMakerOutput``, and what is no object becomes ``SageMakerInput`` beside it.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.services.jobs.transforming import Invoke, RecordRefusedError

CSV, JSON_LINES = "text/csv", "application/jsonlines"
LONGEST_PATH = 63
_INPUT, _OUTPUT = "SageMakerInput", "SageMakerOutput"
_FIELDS = re.compile(r"\$((?:\.[A-Za-z_]\w*)+)")
_NAMES = re.compile(r"\$\[('[^']+'(?:,\s*'[^']+')*)\]")
_PLACES = re.compile(r"\$\[((?:-?\d+|-?\d*:-?\d*)(?:,\s*(?:-?\d+|-?\d*:-?\d*))*)\]")

Filter = Callable[[Any], Any]


@dataclass(frozen=True)
class Processing:
    """Filters of a job's request, and whether the input is joined to the answer."""

    content_type: str
    into: Filter
    out_of: Filter
    joins: bool

    def around(self, invoke: Invoke) -> Invoke:
        """Return what answers a payload of whole records, with what is done before and after."""
        return lambda payload: self._answered(payload, invoke)

    def _answered(self, payload: bytes, invoke: Invoke) -> bytes:
        try:
            records = self._read(payload)
            answers = self._read(invoke(self._written(self.into(each) for each in records) + b"\n"))
            if not self.joins:
                return self._written(map(self.out_of, answers))
            if len(answers) != len(records):
                raise RecordRefusedError(f"{len(records)} records have {len(answers)} answers, and cannot be joined")
            joined = map(self._joined, records, answers)
            return self._written(map(self.out_of, joined))
        except (csv.Error, LookupError, TypeError, ValueError) as error:
            raise RecordRefusedError(f"DataProcessing: {type(error).__name__}: {error}") from error

    def _read(self, payload: bytes) -> list[Any]:
        lines = [line for line in payload.decode().splitlines() if line]
        return list(csv.reader(lines)) if self.content_type == CSV else [json.loads(line) for line in lines]

    def _written(self, records: Any) -> bytes:
        """Return records a line each, and no line's end after the last: AssembleWith adds that."""
        if self.content_type != CSV:
            return "\n".join(json.dumps(each) for each in records).encode()
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(records)
        return text.getvalue().removesuffix("\n").encode()

    def _joined(self, record: Any, answer: Any) -> Any:
        if self.content_type == CSV:
            return [*record, *answer]
        return {**record, _OUTPUT: answer} if isinstance(record, dict) else {_INPUT: record, _OUTPUT: answer}


def processing_of(request: Mapping[str, Any]) -> Processing | None:
    """Return what a request asks for; None where it asks for nothing.

    Raises
    ------
    AwsError, NotSimulatedError
        When that cannot be had.
    """
    asked = request.get("DataProcessing") or {}
    paths = {name: asked.get(name) or "$" for name in ("InputFilter", "OutputFilter")}
    joins = asked.get("JoinSource") == "Input"
    if not joins and set(paths.values()) == {"$"}:
        return None
    into, out_of = (_filter(name, path) for name, path in paths.items())
    return Processing(_content_type(request, joins=joins), into, out_of, joins)


def _content_type(request: Mapping[str, Any], *, joins: bool) -> str:
    given, split = request["TransformInput"].get("ContentType"), request["TransformInput"].get("SplitType")
    if given not in (CSV, JSON_LINES) or split != "Line":
        raise NotSimulatedError(f"DataProcessing of {given!r} by {split!r} (here: {CSV} and {JSON_LINES} by Line)")
    accept = request["TransformOutput"].get("Accept")
    if accept != given:
        raise NotSimulatedError(f"DataProcessing with Accept {accept!r} for ContentType {given!r}")
    if joins and request["TransformOutput"].get("AssembleWith") != "Line":
        raise NotSimulatedError("DataProcessing.JoinSource 'Input' without AssembleWith Line")
    return str(given)


def _filter(name: str, path: str) -> Filter:
    if len(path) > LONGEST_PATH:
        raise AwsError("ValidationException", f"{name} must have length less than or equal to {LONGEST_PATH}")
    if path == "$":
        return lambda record: record
    if found := _FIELDS.fullmatch(path):
        fields = found[1].split(".")[1:]
        return lambda record: _reached(record, fields)
    if found := _NAMES.fullmatch(path):
        names = [each.strip().strip("'") for each in found[1].split(",")]
        return lambda record: {each: record[each] for each in names}
    if found := _PLACES.fullmatch(path):
        places = [each.strip() for each in found[1].split(",")]
        return lambda record: [value for place in places for value in _placed(record, place)]
    raise NotSimulatedError(f"DataProcessing.{name} {path!r} (here: $, $.name, $['name','name'], $[0,2:])")


def _reached(record: Any, names: list[str]) -> Any:
    for name in names:
        record = record[name]
    return record


def _placed(record: Any, place: str) -> list[Any]:
    if ":" not in place:
        return [record[int(place)]]
    begin, end = (int(each) if each else None for each in place.split(":"))
    return list(record[begin:end])
