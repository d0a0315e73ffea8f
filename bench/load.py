"""A load generator: clients that each have one request under way at any time, on one event loop."""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import uvloop

from bench.connection import OK, AnswerError
from bench.framing import Framing

WARM_UP_SECONDS = 0.05
PATIENCE_SECONDS = 30.0
"""How long a client may wait for an answer."""


@dataclass(frozen=True)
class Load:
    """What a server did under load.

    Parameters
    ----------
    rate
        Answers a second.
    latencies
        Seconds from a request to its whole answer, of every answer within the measured time.
    busy
        The share of one core that the generator itself took.
    answers
        Each client's last answer: head and body.
    answered
        How many answers there were in all, warm-up included.
    """

    rate: float
    latencies: Sequence[float]
    busy: float
    answers: Sequence[tuple[bytes, bytes]]
    answered: int

    def percentile(self, share: float) -> float:
        """Return the latency that this share of the requests stayed within, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Client(asyncio.Protocol):
    """Sends the request again whenever the answer is complete."""

    def __init__(self, request: bytes, framing: Framing) -> None:
        self.failure: str | None = None
        self.last = b""
        self.latencies: list[float] = []
        self._request = request
        self._framing = framing
        self._sent = 0.0
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without deriving from it
        # uvloop writes only when it has looked at all sockets: the answers of a batch would be followed by a pause, and
        # then by all the next requests at once, as they never come from clients on machines of their own.
        self._socket = socket.fromfd(transport.get_extra_info("socket").fileno(), socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        try:
            sent = self._socket.send(self._request)
        except BlockingIOError:
            sent = 0
        if sent < len(self._request) and self._transport is not None:
            self._transport.write(self._request[sent:])

    def data_received(self, data: bytes) -> None:
        if self._received:
            data = self._received + data
        if not data.startswith(OK):
            self._fail(data[:200].decode(errors="replace"))
            return
        whole = self._framing.length(data)
        if whole is None or len(data) < whole:
            self._received = data
            return
        self._received, self.last = b"", data
        self.latencies.append(time.perf_counter() - self._sent)
        if self._transport is not None and not self._transport.is_closing():
            self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        self._fail("the server closed the connection")

    def close(self) -> None:
        self.failure = self.failure or ""
        if self._transport is not None:
            self._socket.close()
            self._transport.close()

    def _fail(self, what: str) -> None:
        if self.failure is None:
            self.failure = what
            self.close()


class LoadGenerator:
    """Measures how many requests a second a server answers, and how fast."""

    def __init__(self) -> None:
        self.busiest = 0.0
        """The largest share of one core that the generator itself has taken; at 1 it would be what is measured."""

    def rate(self, port: int, request: bytes, clients: int, seconds: float) -> float:
        """Return requests a second of a server on loopback; the errors are those of `measure`."""
        return self.measure(port, [request] * clients, seconds).rate

    def measure(
        self, port: int, requests: Sequence[bytes], seconds: float, warm_up_seconds: float = WARM_UP_SECONDS
    ) -> Load:
        """Return what a server on loopback does with a client for each request.

        Raises
        ------
        AnswerError
            If any answer is not 200, or a client has none or no connection.
        """
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            load = runner.run(_drive(port, requests, seconds, warm_up_seconds))
        self.busiest = max(self.busiest, load.busy)
        return load


async def _drive(port: int, requests: Sequence[bytes], seconds: float, warm_up_seconds: float) -> Load:
    loop, framing = asyncio.get_running_loop(), Framing()
    clients = [_Client(request, framing) for request in requests]
    for client in clients:
        try:
            await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
        except OSError as error:
            raise AnswerError(f"no connection to the server: {error}") from error
    await asyncio.sleep(warm_up_seconds)
    await _first_answers(clients)
    before, began, busy = [len(client.latencies) for client in clients], time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    await _more_answers(clients, before)
    elapsed, busy = time.perf_counter() - began, time.process_time() - busy
    latencies = [each for client, start in zip(clients, before, strict=True) for each in client.latencies[start:]]
    _require_success(clients)
    for client in clients:
        client.close()
    answered = sum(len(client.latencies) for client in clients)
    last = [_parts(client.last) for client in clients]
    return Load(len(latencies) / elapsed, latencies, busy / elapsed, last, answered)


async def _first_answers(clients: Sequence[_Client]) -> None:
    await _wait(lambda: all(client.latencies or client.failure is not None for client in clients))


async def _more_answers(clients: Sequence[_Client], before: Sequence[int]) -> None:
    """A server may need longer for one answer than is measured."""
    met = list(zip(clients, before, strict=True))
    await _wait(lambda: any(len(client.latencies) > start or client.failure is not None for client, start in met))


async def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while not condition():
        if time.perf_counter() > deadline:
            raise AnswerError(f"a client had no answer within {PATIENCE_SECONDS:g} s")
        await asyncio.sleep(0.01)


def _require_success(clients: Sequence[_Client]) -> None:
    for client in clients:
        if client.failure is not None:
            raise AnswerError(client.failure)


def _parts(answer: bytes) -> tuple[bytes, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body
