"""One connection: what comes is read, and what is asked is answered in its order."""

import asyncio
import fcntl
import io
import termios
from collections import deque
from contextlib import suppress
from typing import cast

import httptools

from ..answers import Answer
from ..budget import Share
from ..problems import ProblemError, malformed, unavailable
from .front import Front
from .heads import Head
from .request import Request
from .rest import Rest

PATIENCE = 4
"""An oversized body is read up to so many times the limit, for a client that is still writing would see a broken
connection instead of the 413."""

LARGEST_HEAD = 65_536
"""Bytes of a request's line and headers."""

STRAIGHT_BYTES = 262_144
"""When so much of a body or more is still to come, it is received where it will stay: of what goes through the parser,
three copies are made, and two are held at the end. For less it makes no difference, as switching over has its cost."""

QUIET_SECONDS = 0.25
"""When all connections are closed, one with nothing on it for so long goes first: on a new one a request is coming."""

LINGER_SECONDS = 2.0
"""How long what a caller still sends is read after the last answer: to close on unread bytes would be a reset, which
takes back what he has not received of the answers."""

_MOST_WAITING = 16
"""Requests that a client may send on one connection without waiting for answers; then no more are read."""

_INT_BYTES = 4
_OF_UPGRADES = frozenset({b"connection", b"upgrade", b"http2-settings"})


class Connection(asyncio.Protocol):
    """One connection: requests are answered in the order in which they come, one at a time.

    Parameters
    ----------
    front
        Shared by all.
    """

    def __init__(self, front: Front) -> None:
        self._front = front
        self._waiting: deque[Request] = deque()
        self._answering: Request | None = None
        self._is_starting = False
        self._active_at = front.loop.time()
        self._is_over = False
        """Whether nothing more is taken in."""
        self._hung_up_at: float | None = None
        """When the last answer was given."""
        self._can_write = True
        self._begin()

    def _begin(self) -> None:
        self._reading = Request(Share(self._front.budget))
        self._url = b""
        self._chunks: list[bytes] = []
        self._size = 0
        self._head_size = 0
        self._is_head = True
        self._is_between = True
        """Whether nothing of the next request has come."""

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)
        self._front.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Give up what nobody waits for any more."""
        self._is_over = True
        self._front.connections.discard(self)
        self._reading.share.give_up()
        self._give_up_waiting()
        if self._answering is not None:
            self._answering.gone = True

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self.stay_active()
        if self._is_over:
            return
        is_first = self._is_between
        if is_first and (found := self._front.heads.find(data)) is not None:
            self._take_known(*found)
            return
        before, size = self._reading, self._size
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            self._refuse(malformed(f"this is not HTTP/1.1: {error}"))
        # Of other data, most may have been a body.
        if self._reading is before and self._size == size:
            self._check_head(len(data))
        if not self._is_head and not self._is_over:
            self._receive_straight()
        elif is_first and self._is_between and before.keep_alive and before.problem is None:
            self._front.heads.learn(data, before.method, before.path, before.headers)

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as asked:
            self._go_on_without_upgrade(data[asked.args[0] :])

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        """Have a request parsed again as if it did not ask for another protocol, which a server need not speak.

        The parser takes for granted that it is spoken from the end of the headers on: it knows of no body.
        """
        method, headers = self._parser.get_method(), self._reading.headers
        closes = any(name == b"connection" and b"close" in value.lower() for name, value in headers)
        kept = [field for field in headers if field[0] not in _OF_UPGRADES]
        if closes or method == b"CONNECT":
            kept.append((b"connection", b"close"))
        # CONNECT would be an upgrade again; there is nobody to connect to.
        lines = [b"%b %b HTTP/1.1" % (b"OPTIONS" if method == b"CONNECT" else method, self._url)]
        lines += [b"%b: %b" % field for field in kept]
        self._parser = httptools.HttpRequestParser(self)
        self._begin()
        self._feed(b"\r\n".join([*lines, b"", b""]) + rest)

    def _take_known(self, head: Head, body: bytes) -> None:
        """Take in a request without having it parsed."""
        request = self._reading
        request.method, request.path, request.headers = head.method, head.path, head.headers
        if body:
            self.on_body(body)
        self._complete(request, True)

    def rest_received(self) -> None:
        """Go on after a large body that the parser has not seen the end of."""
        self.on_message_complete()
        self._parser = httptools.HttpRequestParser(self)
        self._transport.set_protocol(self)

    def stay_active(self) -> None:
        """Take note that something has come."""
        self._active_at = self._front.loop.time()

    def pause_writing(self) -> None:
        """Begin with no further request while the caller does not read."""
        self._can_write = False

    def resume_writing(self) -> None:
        """Go on."""
        self._can_write = True
        self._next()

    # What the parser tells.

    def on_message_begin(self) -> None:
        """Know that a request has begun."""
        self._is_between = False

    def on_url(self, url: bytes) -> None:
        """Take down the path, which may come in pieces."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take down a header; what follows a body in chunks is none."""
        if self._is_head:
            self._reading.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Know what is asked for."""
        if self._parser.should_upgrade():
            return
        request, self._is_head = self._reading, False
        request.method = self._parser.get_method().decode("latin-1")
        request.path = self._url.partition(b"?")[0].decode("latin-1")
        if any(name == b"expect" for name, _ in request.headers) and self._answering is None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, chunk: bytes) -> None:
        """Keep a piece of the body, if there is room for it."""
        self._size += len(chunk)
        self._head_size = 0
        share, largest = self._reading.share, self._front.largest_body
        if self._size <= largest and share.take(len(chunk)):
            self._chunks.append(chunk)
            return
        self._chunks.clear()
        share.give_up()
        if self._size > PATIENCE * largest:
            self._refuse(self._too_large())

    def on_message_complete(self) -> None:
        """Take in a request that the parser has read."""
        if not self._is_over and not self._parser.should_upgrade():
            keeps = self._parser.should_keep_alive() and self._parser.get_http_version() != "1.0"
            self._complete(self._reading, keeps)

    def _complete(self, request: Request, keep_alive: bool) -> None:
        """Answer the request when its turn comes."""
        if self._size > self._front.largest_body:
            request.problem = self._too_large()
        elif request.share.refused:
            detail = "the requests in flight hold all the memory that bodies may take; try again shortly"
            request.problem = unavailable(detail)
        request.body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        request.keep_alive = keep_alive
        self._begin()
        self._queue(request)

    def _receive_straight(self) -> None:
        """Have the rest of a body received into one piece of memory, if it is large and there is room for it."""
        request = self._reading
        length = int(dict(request.headers).get(b"content-length", 0))
        missing = length - self._size
        if missing < STRAIGHT_BYTES or length > self._front.largest_body or not request.share.take(missing):
            return
        # Of all that can be written to, only this becomes bytes without a copy.
        request.received = io.BytesIO(bytes(length))
        request.received.writelines(self._chunks)
        self._chunks.clear()
        self._transport.set_protocol(Rest(self, request.received))

    def _too_large(self) -> ProblemError:
        limit = self._front.largest_body
        detail = f"the body is larger than {limit} bytes (TIDEGATE_MAX_BODY_BYTES); send fewer rows at a time"
        return ProblemError(413, "body too large", detail)

    def _check_head(self, size: int) -> None:
        # The parser itself would keep a header without end, be it before the body or after it.
        self._head_size += size
        if self._head_size > LARGEST_HEAD and not self._is_over:
            self._refuse(ProblemError(431, "headers too large", f"the headers take more than {LARGEST_HEAD} bytes"))

    def _refuse(self, problem: ProblemError) -> None:
        """Say what is wrong, when its turn comes, and read no more."""
        self._is_over = True
        self._reading.share.give_up()
        request = Request(Share(self._front.budget))
        request.problem, request.keep_alive = problem, False
        self._queue(request)

    # Answering.

    def _queue(self, request: Request) -> None:
        self._waiting.append(request)
        if len(self._waiting) >= _MOST_WAITING:
            self._transport.pause_reading()
        if self._answering is None:
            self._next()

    def _next(self) -> None:
        """Begin with the next request, and with those after it as long as they are answered at once."""
        if self._is_starting:
            return
        self._is_starting = True
        while self._waiting and self._answering is None and self._can_write and self._hung_up_at is None:
            self._answering = request = self._waiting.popleft()
            if len(self._waiting) == _MOST_WAITING - 1:
                self._transport.resume_reading()
            if request.received is None:
                self._front.answer(request, self._reply)
            else:
                # Now uvloop still holds a view of it, for which a copy would have to be made.
                self._front.loop.call_soon(self._answer_received, request, request.received)
        self._is_starting = False

    def _answer_received(self, request: Request, received: io.BytesIO) -> None:
        request.body, request.received = received.getvalue(), None
        self._front.answer(request, self._reply)

    def _reply(self, answer: Answer) -> None:
        request, self._answering = self._answering, None
        assert request is not None, "a request is answered once"
        request.share.give_up()
        if request.gone:
            return
        stays = request.keep_alive and not self._front.draining
        self._transport.write(self._front.render(answer, stays, request.method == "HEAD"))
        self._active_at = self._front.loop.time()
        if stays:
            self._next()
        else:
            self._hang_up()

    def _hang_up(self) -> None:
        """Say that this was the last answer; the caller closes the connection, or `expire` does."""
        self._is_over = True
        self._give_up_waiting()
        if not self._transport.is_closing():
            self._hung_up_at = self._front.loop.time()
            self._transport.resume_reading()
            self._transport.write_eof()

    def _give_up_waiting(self) -> None:
        while self._waiting:
            self._waiting.popleft().share.give_up()

    def expire(self, now: float, idle_seconds: float) -> None:
        """Close it when nothing has happened on it for so long, or it has lingered long enough."""
        if self._hung_up_at is not None:
            seconds = idle_seconds if self._is_owing() else LINGER_SECONDS
            if self._hung_up_at < now - seconds:
                self._transport.abort()
        elif self._answering is not None or self._active_at >= now - idle_seconds:
            return
        elif self._is_within_request() and self._can_write:
            self._refuse_rest(ProblemError(408, "request timeout", "the rest of the request did not come in time"))
        else:
            self._transport.abort()

    def wind_up(self, now: float) -> None:
        """Close it as soon as nothing is owed, for the server ends; a request that is only half there is refused."""
        if self._is_over or self._answering is not None or self._waiting:
            return
        if self._is_within_request():
            self._refuse_rest(unavailable("this server is shutting down; try again, another one answers"))
        elif self._active_at < now - QUIET_SECONDS and not self._is_owing():
            self._transport.close()

    def abort(self) -> None:
        """Close it, whatever is owed."""
        self._transport.abort()

    def _is_owing(self) -> bool:
        """Return whether some of what was answered has not arrived at the caller."""
        if self._transport.get_write_buffer_size():
            return True
        in_kernel = bytearray(_INT_BYTES)
        with suppress(OSError):
            fcntl.ioctl(self._transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, in_kernel)
        return any(in_kernel)

    def _is_within_request(self) -> bool:
        return bool(self._url) or not self._is_head

    def _refuse_rest(self, problem: ProblemError) -> None:
        self._transport.set_protocol(self)
        self._refuse(problem)
