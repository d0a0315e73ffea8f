"""What a delivery stream does to records before it stores them ("Processor" in Firehose's API reference)."""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError

Step = Callable[[bytes], bytes]
FAILED = "processing-failed"


class ProcessingError(Exception):
    """A record that cannot be processed, which goes to where errors go."""


@dataclass(frozen=True)
class Processing:
    """The steps of a stream, in the order in which it takes them, whatever that of its configuration."""

    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, configuration: Mapping[str, Any] | None) -> "Processing":
        """Read a ProcessingConfiguration; raise an error that names what is not simulated."""
        if not configuration or not configuration.get("Enabled"):
            return cls()
        given = {each["Type"]: _parameters(each) for each in configuration.get("Processors") or []}
        unknown = sorted(given.keys() - _STEPS.keys())
        if unknown:
            raise NotSimulatedError(f"the processor {unknown[0]} of a delivery stream")
        if "CloudWatchLogProcessing" in given and "Decompression" not in given:
            raise AwsError("InvalidArgumentException", "CloudWatchLogProcessing needs the processor Decompression")
        return cls(tuple(make(given[kind]) for kind, make in _STEPS.items() if kind in given))

    def run(self, record: bytes) -> bytes:
        """Return a record as it is stored; raise `ProcessingError` if it cannot be."""
        for step in self.steps:
            record = step(record)
        return record


def _parameters(processor: Mapping[str, Any]) -> dict[str, str]:
    return {each["ParameterName"]: each["ParameterValue"] for each in processor.get("Parameters") or []}


def _only(given: Mapping[str, str], kind: str, name: str, value: str) -> None:
    if {name: value, **given} != {name: value}:
        raise NotSimulatedError(f"the parameters {dict(given)} of the processor {kind} (here only {name}={value})")


def _decompression(given: Mapping[str, str]) -> Step:
    _only(given, "Decompression", "CompressionFormat", "GZIP")

    def decompress(record: bytes) -> bytes:
        try:
            return gzip.decompress(record)
        except (EOFError, OSError, zlib.error) as error:
            raise ProcessingError(f"the record is not gzip: {error}") from error

    return decompress


def _messages(given: Mapping[str, str]) -> Step:
    _only(given, "CloudWatchLogProcessing", "DataMessageExtraction", "true")

    def extract(record: bytes) -> bytes:
        try:
            return "\n".join(event["message"] for event in json.loads(record)["logEvents"]).encode()
        except (KeyError, TypeError, ValueError) as error:
            raise ProcessingError(f"the record is none of CloudWatch Logs': {error!r}") from error

    return extract


def _delimiter(given: Mapping[str, str]) -> Step:
    if given.keys() - {"Delimiter"}:
        raise NotSimulatedError(f"the parameters {dict(given)} of the processor AppendDelimiterToRecord")
    end = given.get("Delimiter", "\\n").replace("\\n", "\n").encode()
    return lambda record: record + end


_STEPS: dict[str, Callable[[Mapping[str, str]], Step]] = {
    "Decompression": _decompression,
    "CloudWatchLogProcessing": _messages,
    "AppendDelimiterToRecord": _delimiter,
}
