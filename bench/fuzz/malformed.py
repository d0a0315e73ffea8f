"""HTTP itself gone wrong: heads, chunks and framing, each input on a connection of its own."""

import re
import select
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random

from bench.fuzz.inputs import Input
from bench.fuzz.mutation import TOKENS
from bench.fuzz.tally import Tally

KIND = "malformed HTTP"
TOGETHER = 64
PATIENCE_SECONDS = 0.03
"""An input may be a request without its end, for which a server waits: then the caller hangs up."""

METHODS = (
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "OPTIONS",
    "CONNECT",
    "TRACE",
    "PRI",
    "get",
    "",
    "X" * 300,
    "PO ST",
    "M-SEARCH",
)
PATHS = (
    "/invocations", "/ping", "/metrics", "/v2", "/v2/models/model", "/v2/models/model/infer", "/v2/health/ready", "*",
    "", "http://elsewhere/ping", "/" + "a" * 3000, "/\x00", "/%00%ff", "//", "/../../etc/passwd",
    "/ping HTTP/1.1\r\nx: y",
    "/ping?" + "q=1&" * 500, "/invocations#x", "/\xff\xfe",
)  # fmt: skip
VERSIONS = (
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/2.0",
    "HTTP/0.9",
    "HTTP/1.11",
    "http/1.1",
    "ICE/1.1",
    "",
)
HEADERS = (
    "content-length: {size}", "content-length: {size}", "content-length: 0", "content-length: -1",
    "content-length: +3",
    "content-length: 99999999999999999999", "content-length: 3, 3", "content-length: 5\r\ncontent-length: 6",
    "transfer-encoding: chunked", "transfer-encoding: chunked", "transfer-encoding: gzip, chunked",
    "transfer-encoding: chunked\r\ncontent-length: 3", "transfer-encoding: \x0bchunked",
    "Transfer-Encoding : chunked",
    "connection: close", "connection: upgrade\r\nupgrade: h2c", "connection: keep-alive, x", "upgrade: websocket",
    "expect: 100-continue", "expect: x", "host: a\r\nhost: b", " folded: yes", "x: y\r\n folded", "no colon",
    ": no name", "x\x00: y", "x: \x00", "x: \xff", "x:" + "y" * 9000, "accept: */*", "content-type: application/json",
    "content-encoding: gzip", "te: trailers", "trailer: x",
)  # fmt: skip
ENDINGS = ("\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n")
CHUNKS = (
    b"3\r\nabc\r\n0\r\n\r\n", b"3\r\nabc\r\n", b"fffffffffffffffff\r\n", b"-1\r\n",
    b"3;a=b;c=\"d\"\r\nabc\r\n0\r\n\r\n", b"3\r\nabcde\r\n0\r\n\r\n", b"0\r\nx: y\r\n\r\n",
    b"0\r\n" + b"x: y\r\n" * 400 + b"\r\n",
    b"0x3\r\nabc\r\n0\r\n\r\n", b"3\nabc\n0\n\n", b"1\r\n[\r\n" * 100 + b"0\r\n\r\n",
    b"0" * 500 + b"3\r\nabc\r\n0\r\n\r\n",
)  # fmt: skip
_STATUSES = re.compile(rb"HTTP/1\.1 (\d\d\d) ")


def wires(bodies: Sequence[Input], chance: Random) -> list[bytes]:
    """Return one for each input, which lends its body."""
    return [_wire(body, chance) for body in bodies]


def _wire(given: Input, chance: Random) -> bytes:
    drawn = chance.random()
    if drawn < 0.05:
        return chance.randbytes(chance.randint(1, 300))
    if drawn < 0.35:
        return _changed(given.wire(), chance)
    requests = [_request(given.body, chance) for _ in range(chance.choice((1, 1, 1, 2, 20)))]
    return _changed(b"".join(requests), chance) if drawn < 0.6 else b"".join(requests)


def _request(body: bytes, chance: Random) -> bytes:
    ending = chance.choice(ENDINGS)
    method = "POST" if chance.random() < 0.6 else chance.choice(METHODS)
    path = "/invocations" if chance.random() < 0.5 else chance.choice(PATHS)
    lines = [f"{method} {path} {chance.choice(VERSIONS)}"]
    lines += [each.format(size=len(body)) for each in chance.choices(HEADERS, k=chance.randint(0, 4))]
    head = ending.join([*lines, "", ""]).encode("latin-1")
    return head + (chance.choice(CHUNKS) if "chunked" in "".join(lines) and chance.random() < 0.8 else body)


def _changed(wire: bytes, chance: Random) -> bytes:
    for _ in range(chance.randint(1, 3)):
        # In the head rather than in the body.
        place = chance.randint(0, min(len(wire), 200))
        kept = place + chance.choice((0, 0, 1, 5, len(wire)))
        wire = wire[:place] + chance.choice((*TOKENS, b" ", b"\t", b": ", chance.randbytes(3))) + wire[kept:]
    return wire


def send(port: int, wires: Sequence[bytes], hang_seconds: float, chance: Random, tally: Tally) -> None:
    """Send all, many at a time, and see to it that each is answered, or its connection closed."""
    for start in range(0, len(wires), TOGETHER):
        some = [_Talk(port, wire, chance) for wire in wires[start : start + TOGETHER]]
        _read(some, PATIENCE_SECONDS, lambda talk: talk.is_over or talk.is_answered)
        for talk in some:
            talk.hang_up()
        _read(some, hang_seconds, lambda talk: talk.is_over)
        for talk in some:
            talk.tell(tally)


class _Talk:
    """One connection, and what was said on it."""

    def __init__(self, port: int, wire: bytes, chance: Random) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5.0)
        self.is_over = False
        self._wire = wire
        self._heard = b""
        self._began = time.perf_counter()
        middle = chance.randint(0, len(wire))
        with suppress(OSError):  # it may be closed before all is said
            self.socket.sendall(wire[:middle])
            self.socket.sendall(wire[middle:])
        self.socket.setblocking(False)
        self._ended = self._began

    @property
    def is_answered(self) -> bool:
        """Whether it has been said something."""
        return bool(self._heard)

    def hear(self) -> None:
        """Take in what was said."""
        try:
            more = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        self._heard += more
        if not more:
            self.is_over = True
            self._ended = time.perf_counter()

    def hang_up(self) -> None:
        """Say that nothing more will come."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def tell(self, tally: Tally) -> None:
        """Count what came of it."""
        self.socket.close()
        if not self.is_over:
            tally.failed("the connection was not closed", self._wire)
        statuses = [int(each) for each in _STATUSES.findall(self._heard)]
        broken = [each for each in statuses if each >= 500]
        first = next((each for each in statuses if each >= 200), -1)
        tally.inputs += 1
        tally.statuses[broken[0] if broken else first] += 1
        tally.slowest_seconds = max(tally.slowest_seconds, self._ended - self._began - PATIENCE_SECONDS)
        if broken:
            tally.failed(f"answered {broken[0]}", self._wire)


def _read(talks: Sequence[_Talk], seconds: float, is_enough: Callable[[_Talk], bool]) -> None:
    deadline = time.perf_counter() + seconds
    poll, waiting = select.poll(), {}
    for talk in talks:
        if not is_enough(talk):
            poll.register(talk.socket, select.POLLIN)
            waiting[talk.socket.fileno()] = talk
    while waiting and (left := deadline - time.perf_counter()) > 0:
        for number, _ in poll.poll(left * 1e3):
            waiting[number].hear()
            if is_enough(waiting[number]):
                poll.unregister(number)
                del waiting[number]
