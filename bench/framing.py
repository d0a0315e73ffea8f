"""Where an HTTP answer ends, found at next to no cost while the same heads come again and again."""

import re

from bench.connection import AnswerError

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"connection: *close", re.IGNORECASE)
_MOST_HEADS = 256


class Framing:
    """Remembers what heads say: they repeat for a second, until the clock in them moves on."""

    def __init__(self) -> None:
        self._lengths: dict[bytes, int] = {}

    def length(self, data: bytes) -> int | None:
        """Return the length of the whole answer that starts the data, or None while its head is incomplete.

        Raises
        ------
        AnswerError
            If the answer does not say how long it is.
        """
        end = data.find(_END_OF_HEAD)
        if end < 0:
            return None
        head = data[:end]
        length = self._lengths.get(head)
        if length is None:
            found = _LENGTH.search(head)
            if found is None:
                raise AnswerError(f"no Content-Length in {head.decode(errors='replace')}")
            length = end + len(_END_OF_HEAD) + int(found[1])
            if len(self._lengths) >= _MOST_HEADS:  # some servers number their answers
                self._lengths.clear()
            self._lengths[head] = length
        return length

    @staticmethod
    def closes(data: bytes) -> bool:
        """Return whether the server closes the connection after this answer."""
        return _CLOSES.search(data, 0, data.find(_END_OF_HEAD)) is not None
