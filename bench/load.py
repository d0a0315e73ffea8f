"""A load generator: clients that each have one request under way at any time, on one event loop."""

import asyncio
import time
from typing import cast

import uvloop

from bench.connection import OK, AnswerError, Connection

WARM_UP_SECONDS = 0.05


class _Client(asyncio.Protocol):
    """Sends the request again whenever the answer is complete."""

    def __init__(self, request: bytes, answer_bytes: int) -> None:
        self.answers = 0
        self.failure: str | None = None
        self._request = request
        self._answer_bytes = answer_bytes
        self._received = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without deriving from it
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._received == 0 and not data.startswith(OK):
            self.failure = data[:200].decode(errors="replace")
            self.close()
            return
        self._received += len(data)
        if self._received >= self._answer_bytes and self._transport is not None:
            self._received = 0
            self.answers += 1
            self._transport.write(self._request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class LoadGenerator:
    """Counts how many requests a second a server answers."""

    def __init__(self) -> None:
        self.busiest = 0.0
        """The largest share of one core that the generator itself has taken; at 1 it would be what is measured."""

    def rate(self, port: int, request: bytes, clients: int, seconds: float) -> float:
        """Return requests a second of a server on loopback.

        Raises
        ------
        AnswerError
            If any answer is not 200, or a client has none.
        """
        with Connection(port, request) as probe:
            answer_bytes = probe.answer_bytes
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(self._drive(port, [_Client(request, answer_bytes) for _ in range(clients)], seconds))

    async def _drive(self, port: int, clients: list[_Client], seconds: float) -> float:
        loop = asyncio.get_running_loop()
        for client in clients:
            await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.sleep(WARM_UP_SECONDS)
        before, began, busy = _answers(clients), time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        answered, elapsed = _answers(clients) - before, time.perf_counter() - began
        self.busiest = max(self.busiest, (time.process_time() - busy) / elapsed)
        for client in clients:
            client.close()
        _require_success(clients)
        return answered / elapsed


def _answers(clients: list[_Client]) -> int:
    return sum(client.answers for client in clients)


def _require_success(clients: list[_Client]) -> None:
    for client in clients:
        if client.failure is not None or not client.answers:
            raise AnswerError(client.failure or "no answer")
