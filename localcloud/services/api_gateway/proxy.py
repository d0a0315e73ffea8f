"""What a function gets of a request, and what of its answer reaches the caller: the proxy format of REST APIs."""

import json
from collections.abc import Mapping
from typing import Any

from localcloud.front.http_answer import HttpAnswer
from localcloud.services.api_gateway.exchange import Exchange
from localcloud.services.api_gateway.gateway_errors import broken
from localcloud.services.api_gateway.request import Request, grouped, last_of_each
from localcloud.services.api_gateway.rest_api import Record

_NOT_SENT = frozenset({"content-length", "connection", "transfer-encoding", "keep-alive"})
_TITLED = frozenset({"authorization", "user-agent", "host"})
_ANSWER_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "statusDescription"})
_REMAPPED = frozenset(
    {"authorization", "connection", "content-length", "content-md5", "date", "expect", "host", "max-forwards", "server",
     "trailer", "upgrade", "user-agent", "www-authenticate"}
)  # fmt: skip
_DROPPED = frozenset({"transfer-encoding", "keep-alive", "te", "trailers", "proxy-authenticate", "proxy-authorization"})


def event_of(exchange: Exchange) -> Record:
    """Return the event for a function, payload format 1.0 of REST APIs."""
    request = exchange.request
    body = request.body.decode("utf-8", "replace") if request.body else None
    return {**described(exchange), "body": body, "isBase64Encoded": False}


def described(exchange: Exchange) -> Record:
    """Return the event without the body, as authorizers get it too."""
    request = exchange.request
    headers = _headers(request, str(exchange.context["requestId"]))
    return {
        "resource": exchange.resource.get("path"),
        "path": request.path,
        "httpMethod": request.method,
        "headers": last_of_each(headers) or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": last_of_each(request.query) or None,
        "multiValueQueryStringParameters": request.query or None,
        "pathParameters": exchange.parameters or None,
        "stageVariables": exchange.variables or None,
        "requestContext": exchange.request_context(),
    }


def _headers(request: Request, request_id: str) -> dict[str, list[str]]:
    """Return the headers that were sent, and those that the gateway adds."""
    sent = grouped(
        (name.title() if name.lower() in _TITLED else name, value)
        for name, value in request.headers
        if name.lower() not in _NOT_SENT and not name.lower().startswith("x-forwarded-")
    )
    before = request.header("x-forwarded-for")
    added = {
        "X-Forwarded-For": f"{before}, {request.source_ip}" if before else request.source_ip,
        "X-Forwarded-Port": str(request.environ.get("SERVER_PORT", "80")),
        "X-Forwarded-Proto": str(request.environ.get("wsgi.url_scheme", "http")),
    }
    if request.header("x-amzn-trace-id") is None:
        added["X-Amzn-Trace-Id"] = f"Root={trace_id(request_id)}"
    return {**sent, **{name: [value] for name, value in added.items()}}


def trace_id(request_id: str) -> str:
    """Return an identifier in X-Ray's form."""
    digits = request_id.replace("-", "")
    return f"1-{digits[:8]}-{digits[8:]}"


def answer_of(payload: bytes) -> HttpAnswer:
    """Return the answer that a function's result describes; raise `GatewayError` for what describes none."""
    result = _result(payload)
    try:
        status = int(result.get("statusCode") or 200)
    except (TypeError, ValueError):
        raise broken() from None
    body = result.get("body")
    if not 100 <= status <= 599 or not isinstance(body, str | None):
        raise broken()
    return HttpAnswer(status, (body or "").encode("utf-8", "surrogatepass"), _answer_headers(result))


def _result(payload: bytes) -> Mapping[str, Any]:
    try:
        result = json.loads(payload)
    except ValueError:
        raise broken() from None
    if not isinstance(result, dict) or set(result) - _ANSWER_KEYS:
        raise broken()
    return result


def _answer_headers(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    single, several = result.get("headers") or {}, result.get("multiValueHeaders") or {}
    if not isinstance(single, dict) or not isinstance(several, dict):
        raise broken()
    multiple = {name: values if isinstance(values, list) else [values] for name, values in several.items()}
    pairs = [(name, value) for name, values in multiple.items() for value in values]
    # A header in both forms is merged, and one that is the same in both is not doubled.
    pairs += [(name, value) for name, value in single.items() if value not in multiple.get(name, ())]
    kept = [(_name(name), _value(value)) for name, value in pairs if name.lower() not in _DROPPED]
    typed = any(name.lower() == "content-type" for name, _ in kept)
    return kept if typed else [("Content-Type", "application/json"), *kept]


def _name(name: str) -> str:
    return f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED else name


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str) or "\n" in value or "\r" in value:
        raise broken()
    # HTTP carries bytes, which the server reads from Latin-1.
    return value.encode().decode("latin-1")
