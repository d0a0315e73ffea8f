"""Heads of requests that have been parsed before.

A client that keeps its connection sends the same line and headers again and again, to the byte. What they mean is then
known without parsing them, which takes longer than anything else that is done with a small request before it is run.
"""

from dataclasses import dataclass

_MOST = 512
_LONGEST = 2_048
_END = b"\r\n\r\n"
_LENGTH = b"content-length"
_NOT_PLAIN = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"connection"})
"""Headers that change how a connection goes on; requests with them are left to the parser."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a request's line and headers say."""

    method: str
    path: str
    headers: list[tuple[bytes, bytes]]
    length: int
    """Of the body, in bytes."""


class Heads:
    """The heads that are known, by their bytes."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def find(self, data: bytes) -> tuple[Head, bytes] | None:
        """Return the head and the body of data that is one whole request with a known head."""
        end = data.find(_END) + len(_END)
        head = self._known.get(data[:end])
        return (head, data[end:]) if head is not None and len(data) - end == head.length else None

    def learn(self, data: bytes, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        """Remember the head of data that the parser has read as one whole request of HTTP/1.1, to be kept alive."""
        end = data.find(_END) + len(_END)
        names = [name for name, _ in headers]
        if end > _LONGEST or names.count(_LENGTH) > 1 or not _NOT_PLAIN.isdisjoint(names):
            return
        length = int(dict(headers).get(_LENGTH, 0))
        if len(data) - end != length:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[data[:end]] = Head(method, path, headers, length)
