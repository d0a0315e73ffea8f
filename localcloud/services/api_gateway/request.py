"""A request to an API, as it came."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

PREFIX = "/_aws/execute-api/"
"""Where APIs are served below the cloud's own address."""

HEADERS_KEY = "localcloud.headers"
"""Under which the front hands over the headers as they were written."""

_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.")
_OVERHEAD = len(": \r\n")

Environ = Mapping[str, Any]
Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Request:
    """A request to a stage of an API; the path is as it was sent, without the stage."""

    api_id: str
    stage: str
    method: str
    path: str
    query_string: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    environ: Environ

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """Return the query's values by name."""
        return grouped(parse_qsl(self.query_string, keep_blank_values=True, errors="replace"))

    @cached_property
    def by_lower_name(self) -> dict[str, list[str]]:
        """Return the headers' values by their names in lower case."""
        return grouped((name.lower(), value) for name, value in self.headers)

    def header(self, name: str) -> str | None:
        """Return the last value of a header; None if it was not sent."""
        values = self.by_lower_name.get(name.lower())
        return values[-1] if values else None

    @property
    def source_ip(self) -> str:
        """Return the caller's address."""
        return str(self.environ.get("REMOTE_ADDR", "127.0.0.1"))

    @property
    def head_size(self) -> int:
        """Return the bytes of the request line and the headers."""
        line = len(self.method) + len(str(self.environ.get("REQUEST_URI", ""))) + len(" HTTP/1.1\r\n ")
        return line + sum(len(name) + len(value) + _OVERHEAD for name, value in self.headers)


def grouped(pairs: Pairs) -> dict[str, list[str]]:
    """Return the values of each name, in their order."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def last_of_each(values: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the last value of each name."""
    return {name: each[-1] for name, each in values.items()}


def request_of(environ: Environ, body: bytes) -> Request | None:
    """Return the request to an API that this is; None if it is for something else."""
    uri = str(environ.get("REQUEST_URI") or environ["PATH_INFO"])
    path, _, query = uri.partition("?")
    host = _HOST.match(str(environ.get("HTTP_HOST", "")))
    if host is not None:
        api_id, rest = host[1], path.lstrip("/")
    elif path.startswith(PREFIX):
        api_id, _, rest = path.removeprefix(PREFIX).partition("/")
    else:
        return None
    stage, _, inner = rest.partition("/")
    headers = tuple(environ.get(HEADERS_KEY) or ())
    return Request(api_id, stage, str(environ["REQUEST_METHOD"]), f"/{inner}", query, headers, body, environ)
