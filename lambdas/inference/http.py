"""Requests as API Gateway hands them to a function (REST, proxy integration), and the answers it is given."""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.inference.problems import CONTENT_TYPE, Problem

JSON = "application/json"
_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Headers:
    """The headers of a request, by name in any case.

    Parameters
    ----------
    pairs
        Names and values; a name may come several times.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), []).append(value)

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Headers":
        """Read the headers of an event: a proxy's, or an authorizer's."""
        several = event.get("multiValueHeaders")
        if several:
            return cls((name, value) for name, values in several.items() for value in values)
        return cls((event.get("headers") or {}).items())

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return a header's value; of one that was sent several times, all of them as RFC 9110 joins them."""
        values = self._values.get(name.lower())
        return ", ".join(values) if values else default

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value that was sent under a name."""
        return tuple(self._values.get(name.lower(), ()))


@dataclass(frozen=True)
class HttpRequest:
    """A request to a front door.

    Parameters
    ----------
    method, resource
        Such as `GET` and `/jobs/{id}`: the resource as the API names it, not as it was asked for.
    path_parameters
        What stands for the names in braces.
    headers
        By name in any case.
    body
        As it was sent.
    context
        What API Gateway says of the request and its caller (`requestContext`).
    """

    method: str
    resource: str
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    context: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "HttpRequest":
        """Read a proxy event.

        Raises
        ------
        Problem
            When the body is not what the event says it is.
        """
        return cls(
            method=event["httpMethod"],
            resource=event["resource"],
            path_parameters=event.get("pathParameters") or {},
            headers=Headers.of(event),
            body=_body(event),
            context=event.get("requestContext") or {},
        )


@dataclass(frozen=True)
class HttpAnswer:
    """An answer of a front door.

    Parameters
    ----------
    status
        HTTP status.
    body
        Text or bytes.
    headers
        Beside those that every answer has.
    """

    status: int
    body: bytes | str = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, status: int, document: Any, headers: Mapping[str, str] | None = None) -> "HttpAnswer":
        """Return an answer of JSON."""
        return cls(status, _written(document), headers or {})

    @classmethod
    def problem(
        cls, problem: Problem, prediction_id: str | None = None, headers: Mapping[str, str] | None = None
    ) -> "HttpAnswer":
        """Return a problem document as an answer."""
        headers = {**(headers or {}), **problem.headers, "Content-Type": CONTENT_TYPE}
        return cls(problem.status, _written(problem.document(prediction_id)), headers)

    def proxy(self, shown: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the answer as API Gateway wants it; `shown` are headers for the browser that asks."""
        text, is_base64 = self._text()
        headers = {"Content-Type": JSON, **_ALWAYS, **self.headers, **(shown or {})}
        return {"statusCode": self.status, "headers": headers, "body": text, "isBase64Encoded": is_base64}

    def _text(self) -> tuple[str, bool]:
        if isinstance(self.body, str):
            return self.body, False
        try:
            return self.body.decode(), False
        except UnicodeDecodeError:
            return b64encode(self.body).decode("ascii"), True


def _written(document: Any) -> str:
    # Python would write NaN, which is no JSON.
    return json.dumps(document, allow_nan=False, separators=(",", ":"))


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        # What was no UTF-8 comes with lone surrogates at worst; it is refused when the JSON is read.
        return str(body).encode("utf-8", "surrogatepass")
    try:
        return b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem("invalid-request", "the body is not the Base64 that it is said to be; send it again") from error
