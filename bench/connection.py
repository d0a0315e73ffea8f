"""A kept-alive HTTP connection that sends one request again and again, at next to no cost of its own."""

import re
import socket
from types import TracebackType
from typing import Self

from bench.errors import BenchError

PATIENCE_SECONDS = 10.0
OK = b"HTTP/1.1 200"
_END_OF_HEADERS = b"\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class AnswerError(BenchError):
    """A server did not answer as it should."""


def post_request(path: str, content_type: str, body: bytes, accept: str) -> bytes:
    """Return a POST request as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\nAccept: {accept}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection:
    """One connection and one request.

    Parameters
    ----------
    port
        Where the server listens, on loopback.
    request
        What `post_request` made. The same request has an answer of the same length, which is what `post` relies on.
    """

    def __init__(self, port: int, request: bytes) -> None:
        self._request = request
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer_bytes = len(self._first_answer())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def post(self) -> None:
        """Send the request and wait for the whole answer."""
        self._socket.sendall(self._request)
        data = self._receive()
        missing = self.answer_bytes - len(data)
        if not data.startswith(OK):
            raise AnswerError(data[:200].decode(errors="replace"))
        while missing > 0:
            missing -= len(self._receive())

    def _first_answer(self) -> bytes:
        self._socket.sendall(self._request)
        data = b""
        while (wanted := _whole_length(data)) is None or len(data) < wanted:
            data += self._receive()
        if not data.startswith(OK):
            raise AnswerError(data.decode(errors="replace"))
        return data

    def _receive(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise AnswerError("the server closed the connection")
        return data


def _whole_length(data: bytes) -> int | None:
    head, end, _ = data.partition(_END_OF_HEADERS)
    if not end:
        return None
    found = _LENGTH.search(head)
    if found is None:
        raise AnswerError(f"no Content-Length in {head.decode(errors='replace')}")
    return len(head) + len(end) + int(found[1])
