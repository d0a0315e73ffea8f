"""What all connections share: who answers, the memory for bodies, the clock, and how the server ends."""

import asyncio
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

from ..answers import Answer, problem_answer
from ..budget import Budget
from ..observability.logs import LOGGER
from ..problems import ProblemError
from .heads import Heads
from .request import Handler, Reply, Request

if TYPE_CHECKING:
    from .connection import Connection

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Front:
    """What all connections share.

    Parameters
    ----------
    handler
        Answers requests.
    budget
        Bytes of bodies that are held at a time.
    largest_body
        In bytes.
    idle_seconds
        After which a connection on which nothing happens is closed.
    """

    def __init__(self, handler: Handler, budget: Budget, largest_body: int, idle_seconds: float) -> None:
        self._handler = handler
        self.budget = budget
        self.largest_body = largest_body
        self.draining = False
        """Whether every answer is the last of its connection."""
        self.connections: set[Connection] = set()
        self.heads = Heads()
        self.loop = asyncio.get_running_loop()
        self._date = formatdate(usegmt=True)
        self._idle_seconds = idle_seconds
        self._ticks = self.loop.create_task(self._tick())

    async def _tick(self) -> None:
        """Once a second: the date that answers carry, and connections that have been left alone."""
        while True:
            self._date = formatdate(usegmt=True)
            self._expire(self.loop.time())
            await asyncio.sleep(1.0)

    def _expire(self, now: float) -> None:
        for connection in list(self.connections):
            connection.expire(now, self._idle_seconds)

    def answer(self, request: Request, reply: Reply) -> None:
        """Have a request answered, whatever becomes of it."""
        try:
            self._handler(request, reply)
        except Exception:
            LOGGER.exception("a request broke", extra={"path": request.path})
            reply(problem_answer(ProblemError(500, "internal error", "see the container's log")))

    def render(self, answer: Answer, stays: bool, is_head: bool) -> bytes:
        """Return an answer as it goes over the wire."""
        status, kind, more, body = answer.status, answer.content_type, "", answer.body
        if answer.headers:
            more = "".join([f"{name}: {value}\r\n" for name, value in answer.headers.items()])
        if not stays:
            more += "connection: close\r\n"
        head = (
            f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\ncontent-type: {kind}\r\n"
            f"content-length: {len(body)}\r\ndate: {self._date}\r\n{more}\r\n"
        )
        return head.encode("latin-1") if is_head else head.encode("latin-1") + body

    async def close(self, seconds: float) -> None:
        """Close all connections, and wait so long at most for what is still being answered and written."""
        self.draining = True
        deadline = self.loop.time() + seconds
        while self.connections and self.loop.time() < deadline:
            for connection in list(self.connections):
                connection.wind_up(self.loop.time())
            self._expire(self.loop.time())
            await asyncio.sleep(0.01)
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)
        self._ticks.cancel()
