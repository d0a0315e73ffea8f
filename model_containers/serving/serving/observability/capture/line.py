"""One captured request as a line, in the form of SageMaker's Data Capture."""

import re
import uuid
from base64 import b64encode
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from ...headers import media_type

CSV, JSON = "text/csv", "application/json"
LONGEST_LINE = 256 * 1024 - 26
"""Bytes that a log event holds ("PutLogEvents" in the API reference of CloudWatch Logs: each event takes 26 more)."""

_ENCODINGS = {CSV: "CSV", JSON: "JSON"}


_NAMED = re.compile(r"(?:^|[;,\s])inference-id=([^;,\s]+)")


class Taken(NamedTuple):
    """A request and the answer to it, as they were when it was answered."""

    at: float
    content_type: str
    body: bytes
    answer_type: str
    answer: bytes
    inference_id: str
    attributes: str


def named_in(attributes: str) -> str:
    """Return the id of a request that its custom attributes give as ``inference-id=...``; empty without one.

    That a request's own InferenceId reaches the container is not documented; that its custom attributes do, is.
    """
    found = _NAMED.search(attributes) if attributes else None
    return found[1] if found else ""


def render(taken: Taken, asked: bytes, answered: bytes, about: dict[str, str]) -> bytes:
    """Return the line, without its end.

    Parameters
    ----------
    taken
        The request.
    asked, answered
        Both bodies as they are to be written.
    about
        What answered, for the line's metadata.
    """
    metadata: dict[str, Any] = {
        "eventId": str(uuid.uuid4()),
        "inferenceTime": _second(int(taken.at)),
        **about,
    }
    if taken.inference_id:
        metadata["inferenceId"] = taken.inference_id
    if taken.attributes:
        metadata["customAttributes"] = [taken.attributes]
    captured = {
        "endpointInput": _part("INPUT", taken.content_type, asked),
        "endpointOutput": _part("OUTPUT", taken.answer_type, answered),
    }
    return orjson.dumps({"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"})


@lru_cache(8)
def _second(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


@lru_cache(64)
def _encoding(content_type: str) -> str | None:
    return _ENCODINGS.get(media_type(content_type))


def _part(mode: str, content_type: str, body: bytes) -> dict[str, str]:
    encoding = _encoding(content_type)
    if encoding is not None:
        try:
            data = body.decode()
        except UnicodeDecodeError:  # of a request, this is none that was answered; what else it is must not be lost
            encoding = None
    if encoding is None:
        encoding, data = "BASE64", b64encode(body).decode()
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}
