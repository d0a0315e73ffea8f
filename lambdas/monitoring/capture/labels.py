"""What turned out to be true of requests: ground truth in the lines that Model Monitor takes.

A line is ``{"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "<inference id>"},
"eventVersion": "0"}``. A request with several rows has as many values, in separate lines of its CSV or with commas
between them. One whose encoding is JSON has a value or a list of them.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lambdas.monitoring.capture import reasons
from lambdas.monitoring.capture.reasons import UnreadableError
from lambdas.monitoring.capture.records import load
from lambdas.monitoring.profile.window_parts import Refusals

CONFLICTING = "label_conflicting"
"""Reason of a label that differs from one that came before it for the same request."""


@dataclass
class Labels:
    """Labels by the id of their request. Of several for one request the last that was read counts.

    Parameters
    ----------
    values
        The label's text by id; values of several rows have commas between them.
    refused
        Lines of fresh files that could not be used, and those that contradict another line.
    fresh
        Ids in fresh files.
    """

    values: dict[str, str] = field(default_factory=dict)
    refused: Refusals = field(default_factory=Refusals)
    fresh: set[str] = field(default_factory=set)

    def read_file(self, lines: Iterator[bytes], where: str, *, fresh: bool = True) -> None:
        """Add a file's labels.

        Parameters
        ----------
        lines
            As `lambdas.monitoring.capture.lines.lines_of` yields them.
        where
            What examples call the file.
        fresh
            Whether it is to be accounted for now: several looks read the same file, and one says what is wrong in it.
        """
        for number, line in enumerate(lines, start=1):
            try:
                identity, value = read_label(line)
            except UnreadableError as error:
                if fresh:
                    self.refused.add(reasons.OF_LABEL + error.reason, where, number, error.why)
                continue
            before = self.values.get(identity, value)
            if fresh:
                self.fresh.add(identity)
                if before != value:
                    self.refused.add(
                        CONFLICTING, where, number, f"{identity} is {value[:60]!r} here, and was {before[:60]!r}"
                    )
            self.values[identity] = value


def read_label(line: bytes) -> tuple[str, str]:
    """Return the id of a request and its label's text.

    Raises
    ------
    UnreadableError
        With the reason why the line cannot be used.
    """
    record = load(line)
    metadata, truth = record.get("eventMetadata"), record.get("groundTruthData")
    identity = metadata.get("eventId") if type(metadata) is dict else None
    if type(identity) is not str or not identity:
        raise UnreadableError("no_id", "eventMetadata.eventId, which request this is the label of, is missing")
    if type(truth) is not dict or truth.get("data") is None:
        raise UnreadableError("no_label", "groundTruthData.data is missing")
    value = _text(truth["data"], str(truth.get("encoding") or "CSV"))
    if not value:
        raise UnreadableError("no_label", "groundTruthData.data is empty")
    return identity, value


def _text(data: Any, encoding: str) -> str:
    if encoding not in ("CSV", "JSON", "BASE64"):
        raise UnreadableError(reasons.UNKNOWN_ENCODING, f"groundTruthData.encoding is {encoding[:60]!r}")
    try:
        if encoding == "BASE64":
            data = base64.b64decode(data, validate=True).decode()
        if encoding == "JSON" and type(data) is str:
            data = json.loads(data)
    except (RecursionError, TypeError, ValueError) as error:
        raise UnreadableError(reasons.WRONG_FORM, f"groundTruthData.data is not {encoding}: {error}") from error
    values = data if type(data) is list else [data]
    return ",".join(filter(None, (cell.strip() for value in values for cell in _cells(value))))


def _cells(value: Any) -> list[str]:
    if type(value) is bool:
        return ["1" if value else "0"]
    if type(value) not in (str, int, float):
        raise UnreadableError(reasons.WRONG_FORM, f"groundTruthData.data holds a {type(value).__name__}")
    return str(value).replace("\r", "\n").replace("\n", ",").split(",")
