"""The little of ASGI that is used: reading a body, sending an answer."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from . import problems
from .budget import Share
from .problems import ProblemError, unavailable

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# An oversized body is read to its end (up to this many times the limit), for a client that is still writing would
# see a broken connection instead of the 413.
PATIENCE = 4


class CallerGoneError(Exception):
    """The caller hung up; nobody reads an answer."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def problem_answer(problem: ProblemError) -> Answer:
    """Return a problem as an answer."""
    headers = {"retry-after": "1"} if problem.status == 503 else {}
    if problem.status in (413, 503):
        headers["connection"] = "close"
    return Answer(problem.status, problems.CONTENT_TYPE, problem.body(), headers)


async def read_body(receive: Receive, limit: int, share: Share) -> bytes:
    """Return the request's body.

    Parameters
    ----------
    receive
        Where it comes from.
    limit
        The longest body that is read, in bytes.
    share
        Accounts for the bytes that are kept.

    Raises
    ------
    ProblemError
        Status 413 if it is longer than `limit` bytes, 503 if there is no memory to spare for it.
    """
    chunks: list[bytes] = []
    size = 0
    more = True
    while more and size <= PATIENCE * limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGoneError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit and share.take(len(chunk)):
            chunks.append(chunk)
        else:  # read on, but keep nothing
            chunks.clear()
            share.give_up()
        more = message.get("more_body", False)
    if size > limit:
        raise ProblemError(413, "body too large", f"the body is larger than {limit} bytes; send fewer rows at a time")
    if share.refused:
        raise unavailable("the requests in flight hold all the memory that bodies may take; try again shortly")
    return b"".join(chunks)


async def send_answer(send: Send, answer: Answer) -> None:
    """Send an answer."""
    headers = [(b"content-type", answer.content_type.encode()), (b"content-length", b"%d" % len(answer.body))]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
