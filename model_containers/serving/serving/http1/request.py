"""A request, and how it is answered."""

import io
from collections.abc import Callable

from ..answers import Answer
from ..budget import Share
from ..problems import ProblemError


class Request:
    """A request, with all of its body.

    Parameters
    ----------
    share
        What its body holds of the bytes there are for bodies.
    """

    __slots__ = ("body", "gone", "headers", "keep_alive", "method", "path", "problem", "received", "share")

    def __init__(self, share: Share) -> None:
        self.method = ""
        self.path = ""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.received: io.BytesIO | None = None
        """A large body, until it is needed as `body`."""
        self.keep_alive = True
        self.problem: ProblemError | None = None
        """Why it cannot be answered; its body has not been kept."""
        self.gone = False
        self.share = share

    def is_gone(self) -> bool:
        """Return whether the caller has hung up."""
        return self.gone


Reply = Callable[[Answer], None]
Handler = Callable[[Request, Reply], None]
"""Answers a request by one call of the reply, at once or later; always in the event loop's thread. One that has a
problem can only be refused."""
