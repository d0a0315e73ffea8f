"""The body of a request for predictions: ``{"instances": [row or record, ...]}``."""

from typing import Any

from lambdas.inference.http import JSON, Headers, HttpRequest
from lambdas.inference.problems import Problem
from lambdas.inference.settings import FrontDoor
from lambdas.inference.strict_json import loads

INSTANCES = "instances"
_FORM = '{"instances": [[...], ...]}'
_SHOWN = 100


def instances(request: HttpRequest, settings: FrontDoor) -> list[Any]:
    """Return the instances that a request asks predictions for; none is held against a signature yet.

    Raises
    ------
    Problem
        When the body is of another format, too large, not JSON, or has no list of instances.
    """
    _check_format(request.headers)
    _check_size(request.body, settings.largest_body_bytes)
    found = _listed(loads(request.body))
    if len(found) > settings.most_rows:
        raise Problem("too-large", f"there are {len(found)} rows; send at most {settings.most_rows} at once")
    return found


def _check_format(headers: Headers) -> None:
    given = headers.get("Content-Type", "") or ""
    media, _, parameters = given.partition(";")
    if media.strip().lower() != JSON or not all(map(_allowed, parameters.split(";"))):
        shown = ascii(given[:_SHOWN]) if given else "not given"
        raise Problem("unsupported-media-type", f"Content-Type is {shown}; send JSON in UTF-8, as {JSON}")
    encoding = headers.get("Content-Encoding", "identity") or "identity"
    if encoding.strip().lower() != "identity":
        shown = ascii(encoding[:_SHOWN])
        raise Problem("unsupported-media-type", f"Content-Encoding is {shown}; send the body as it is")


def _allowed(parameter: str) -> bool:
    return parameter.strip().lower().replace('"', "") in {"", "charset=utf-8"}


def _check_size(body: bytes, largest: int) -> None:
    if len(body) > largest:
        raise Problem("too-large", f"the body has {len(body)} bytes; send at most {largest}, in several requests")


def _listed(content: Any) -> list[Any]:
    if not isinstance(content, dict):
        raise _misshapen("the body is not an object")
    unknown = next((key for key in content if key != INSTANCES), None)
    if unknown is not None:
        raise _misshapen(f"the body has the key {unknown[:_SHOWN]!a}, which is not known")
    found = content.get(INSTANCES)
    if not isinstance(found, list):
        raise _misshapen(f"{INSTANCES} is {'no list' if INSTANCES in content else 'missing'}")
    if not found:
        raise _misshapen(f"{INSTANCES} is empty; at least one row is needed")
    return found


def _misshapen(reason: str) -> Problem:
    return Problem("invalid-input", f"{reason}; send {_FORM}")
