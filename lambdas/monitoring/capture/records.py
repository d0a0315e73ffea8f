"""One line of captured traffic: a request, the answer to it, and which request it was.

SageMaker's Data Capture writes ``{"captureData": {"endpointInput": {...}, "endpointOutput": {...}}, "eventMetadata":
{"eventId", "inferenceId", "inferenceTime"}, "eventVersion"}``, and the serving container's own capture the same. A part
is ``{"observedContentType", "mode", "data", "encoding"}``; the encoding is CSV or JSON for content types that the
endpoint's config names, else BASE64.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from lambdas.monitoring.capture import reasons
from lambdas.monitoring.capture.lines import LONGEST
from lambdas.monitoring.capture.reasons import UnreadableError

CSV_TYPE, JSON_TYPE = "text/csv", "application/json"
_OF_ENCODING = {"CSV": CSV_TYPE, "JSON": JSON_TYPE}
_UNTOLD = frozenset({"", "application/octet-stream"})
_SHOWN = 60
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Part:
    """A captured body.

    Parameters
    ----------
    content_type
        Its media type, without parameters, in small letters.
    data, encoding
        The body as it stands in the line: text, or base64.
    """

    content_type: str
    data: str
    encoding: str

    def text(self) -> str:
        """Return the body as text.

        Raises
        ------
        UnreadableError
            When it is not the base64 that it says, or no UTF-8.
        """
        if self.encoding != "BASE64":
            return self.data.removeprefix(_BYTE_ORDER_MARK)
        try:
            return base64.b64decode(self.data, validate=True).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UnreadableError(reasons.NOT_UTF8, f"the body is not UTF-8: {error.reason}") from error
        except (binascii.Error, ValueError) as error:
            raise UnreadableError(reasons.BAD_BASE64, f"the body is not base64: {error}") from error


@dataclass(frozen=True, slots=True)
class Exchange:
    """A captured request.

    Parameters
    ----------
    input, output
        What was asked, and answered; None when answers are not captured.
    inference_id
        What the caller named the request, by which labels find it; empty when it was not named.
    event_id
        SageMaker's own name of it.
    at
        When it was answered, in epoch seconds.
    variant
        Production variant that answered, where the line says so; the file's path does otherwise.
    version
        Model version that answered, where the line says so.
    """

    input: Part
    output: Part | None
    inference_id: str
    event_id: str
    at: float
    variant: str = ""
    version: str = ""

    @property
    def identity(self) -> str:
        """Return the id that a label of this request carries."""
        return self.inference_id or self.event_id


def load(line: bytes) -> dict[str, Any]:
    """Return the JSON object on a line.

    Raises
    ------
    UnreadableError
        When there is none, with how it is broken.
    """
    if len(line) > LONGEST:
        raise UnreadableError(reasons.TOO_LONG, f"the line has more than {LONGEST} bytes")
    try:
        record = json.loads(line)
    except UnicodeDecodeError as error:
        raise UnreadableError(
            reasons.NOT_UTF8, f"the line is not UTF-8: {error.reason} at byte {error.start}"
        ) from error
    except (RecursionError, ValueError) as error:
        raise _no_json(line, error) from error
    if type(record) is not dict:
        raise UnreadableError(reasons.NOT_A_RECORD, f"the line is a JSON {type(record).__name__}, not an object")
    return record


def time_of(record: Mapping[str, Any]) -> float:
    """Return when a request was answered, in epoch seconds.

    Raises
    ------
    UnreadableError
        When the line does not say.
    """
    metadata = record.get("eventMetadata")
    told = metadata.get("inferenceTime") if type(metadata) is dict else None
    if type(told) is not str:
        raise UnreadableError(reasons.NO_TIME, "eventMetadata.inferenceTime is missing")
    try:
        return _moment(told)
    except (OverflowError, ValueError) as error:
        raise UnreadableError(reasons.NO_TIME, f"eventMetadata.inferenceTime is {told[:_SHOWN]!r}") from error


def read(line: bytes) -> Exchange:
    """Read a line of captured traffic.

    Raises
    ------
    UnreadableError
        With the reason under which the line is to be counted.
    """
    record = load(line)
    return exchange(record, time_of(record))


def exchange(record: Mapping[str, Any], at: float) -> Exchange:
    """Return the request in a line that has been parsed; see `read`."""
    captured = record.get("captureData")
    if type(captured) is not dict:
        raise UnreadableError(reasons.NOT_A_RECORD, "captureData is missing: this is no line of captured traffic")
    asked, answered = captured.get("endpointInput"), captured.get("endpointOutput")
    if asked is None:
        raise UnreadableError(reasons.NO_INPUT, "captureData.endpointInput is missing; capture input and output")
    metadata = record["eventMetadata"]
    return Exchange(
        part(asked, "endpointInput"),
        None if answered is None else part(answered, "endpointOutput"),
        _text(metadata.get("inferenceId")),
        _text(metadata.get("eventId")),
        at,
        _text(metadata.get("variant")),
        _text(metadata.get("modelVersion")),
    )


def part(told: Any, where: str) -> Part:
    """Return a captured body; its content type, where none was observed, follows from the encoding."""
    if type(told) is not dict or type(data := told.get("data")) is not str:
        raise UnreadableError(reasons.NOT_A_RECORD, f"captureData.{where}.data is not a text")
    encoding = told.get("encoding")
    if encoding not in ("CSV", "JSON", "BASE64"):
        raise UnreadableError(reasons.UNKNOWN_ENCODING, f"captureData.{where}.encoding is {str(encoding)[:_SHOWN]!r}")
    kind = _media_type(str(told.get("observedContentType") or ""))
    return Part(_OF_ENCODING.get(encoding, kind) if kind in _UNTOLD else kind, data, encoding)


@lru_cache(maxsize=1024)
def _moment(told: str) -> float:
    at = datetime.fromisoformat(told)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


@lru_cache(maxsize=64)
def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _text(value: Any) -> str:
    return value if type(value) is str else ""


def _no_json(line: bytes, error: Exception) -> UnreadableError:
    text = line.strip()
    if text.startswith(b"{") and not text.endswith(b"}"):
        return UnreadableError(reasons.TRUNCATED, f"the line breaks off after {len(line)} bytes")
    shown = "nested too deeply" if isinstance(error, RecursionError) else str(error)
    return UnreadableError(reasons.NOT_JSON, f"the line is not JSON: {shown}")
