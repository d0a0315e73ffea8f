"""Captured requests and answers, as SageMaker's Data Capture writes them to S3.

An object is ``<prefix>/<endpoint>/<variant>/yyyy/mm/dd/hh/<file>.jsonl``, and each of its lines a request with its
answer, either of them as text or, unless the endpoint's config names its content type, in base64.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SUFFIX = ".jsonl"
_PARTS_AFTER_ENDPOINT = 6
"""Variant, year, month, day, hour and file."""

_AS_TEXT = ("CSV", "JSON")
_UNKNOWN_TYPE = "application/octet-stream"
_MOST_IN_HEADER = 1024
"""Characters of a content type, and of the custom attributes, that a request may carry."""


@dataclass(frozen=True)
class CaptureObject:
    """An object that captured requests have been written to, and when."""

    bucket: str
    key: str
    endpoint: str
    slot: str
    at: float


@dataclass(frozen=True)
class Reply:
    """What a version answered."""

    content_type: str
    body: bytes


@dataclass(frozen=True)
class Exchange:
    """A captured request and what the live version answered to it."""

    content_type: str
    body: bytes
    attributes: str
    live: Reply


def capture_object(bucket: str, key: str, at: float) -> CaptureObject | None:
    """Return whose requests an object holds; None when it is no object of Data Capture's."""
    parts = key.split("/")
    if len(parts) <= _PARTS_AFTER_ENDPOINT or not key.endswith(_SUFFIX):
        return None
    endpoint, slot = parts[-_PARTS_AFTER_ENDPOINT - 1], parts[-_PARTS_AFTER_ENDPOINT]
    return CaptureObject(bucket, key, endpoint, slot, at)


def lines_of(content: bytes, *, whole: bool) -> list[bytes]:
    """Return an object's lines; where not all of it was read, the last one is cut off and left out."""
    lines = content.split(b"\n")
    return [line for line in (lines if whole else lines[:-1]) if line.strip()]


def spread(lines: Sequence[bytes], count: int) -> list[bytes]:
    """Return at most `count` lines from all over, the same whenever they are asked for."""
    if len(lines) <= count:
        return list(lines)
    return [lines[number * len(lines) // count] for number in range(count)]


def read_exchange(line: bytes) -> Exchange | None:
    """Read a line; None when it cannot be read, or has no request or no answer in it."""
    try:
        record = json.loads(line)
        captured = record["captureData"]
        asked, answered = _part(captured["endpointInput"]), _part(captured["endpointOutput"])
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None
    return Exchange(asked.content_type, asked.body, _attributes(record.get("eventMetadata")), answered)


def _part(part: Mapping[str, Any]) -> Reply:
    data, encoding = part["data"], part["encoding"]
    if not isinstance(data, str):
        raise TypeError("captured data is text")
    if encoding == "BASE64":
        body = base64.b64decode(data, validate=True)
    elif encoding in _AS_TEXT:
        body = data.encode()
    else:
        raise ValueError(f"encoding {encoding!r}")
    kind = str(part.get("observedContentType") or _UNKNOWN_TYPE)
    if not _fits_header(kind):
        raise ValueError("the content type cannot be sent")
    return Reply(kind, body)


def _attributes(metadata: object) -> str:
    """Return the custom attributes that came with a request: a model may answer by them."""
    found = metadata.get("customAttributes") if isinstance(metadata, Mapping) else None
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], str):
        return ""
    text = found[0]
    return text if _fits_header(text) else ""


def _fits_header(text: str) -> bool:
    return len(text) <= _MOST_IN_HEADER and text.isascii() and text.isprintable()
