"""Load whose arrivals follow a clock, whatever the server answers: what an overload is made of."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop

from bench.framing import Framing

TICK_SECONDS = 0.001
PING_SECONDS = 0.1
SAMPLE_SECONDS = 1.0
DRAIN_SECONDS = 5.0
"""How long the last answers are waited for."""
_OPENED_AT_ONCE = 200
_PING = b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@dataclass(frozen=True)
class Phase:
    """So many arrivals a second for so long."""

    name: str
    rate: float
    seconds: float


@dataclass
class Record:
    """What came of one phase's arrivals.

    Parameters
    ----------
    began
        Seconds on the clock of `time.perf_counter`.
    seconds
        How long it lasted.
    answered
        When each request with status 200 was due, and after how many seconds its answer was there.
    refused
        When each request with another status was due, and the status.
    unsent
        Arrivals for which there was no connection left: the generator has its limits.
    lost
        Requests whose connection was closed before the answer.
    """

    began: float = 0.0
    seconds: float = 0.0
    answered: list[tuple[float, float]] = field(default_factory=list)
    refused: list[tuple[float, int]] = field(default_factory=list)
    unsent: int = 0
    lost: int = 0


@dataclass
class Outcome:
    """What a whole run gave.

    Parameters
    ----------
    records
        By phase.
    pings
        When each ping was sent, seconds until its answer, and the status; seconds are infinite without an answer.
    samples
        When, and what the sampled quantity was.
    busy
        The generator's share of its core.
    """

    records: dict[str, Record]
    pings: list[tuple[float, float, int]]
    samples: list[tuple[float, float]]
    busy: float


class _Caller(asyncio.Protocol):
    """A connection: free, or with one request under way."""

    def __init__(self, load: "OpenLoop") -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._due = 0.0
        self._record: Record | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._load.free.append(self)

    def send(self, request: bytes, due: float, record: Record) -> None:
        self._due, self._record = due, record
        assert self._transport is not None
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._received:
            data = self._received + data
        whole = self._load.framing.length(data)
        if whole is None or len(data) < whole:
            self._received = data
            return
        self._received = b""
        record, self._record = self._record, None
        if record is None:
            return
        if data.startswith(b"200", 9):
            record.answered.append((self._due, time.perf_counter() - self._due))
        else:
            record.refused.append((self._due, int(data[9:12])))
        if self._load.framing.closes(data):
            self.close()  # another is opened in its place
        else:
            self._load.free.append(self)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._record is not None:
            self._record.lost += 1
        self._load.replace(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Pinger(asyncio.Protocol):
    """Asks for ``/ping`` on a connection of its own."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, float, int]] = []
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def ping(self) -> None:
        """Ask again, unless the last answer is still owed."""
        if not self._sent and self._transport is not None and not self._transport.is_closing():
            self._sent = time.perf_counter()
            self._transport.write(_PING)

    def data_received(self, data: bytes) -> None:
        if self._sent and data.startswith(b"HTTP/"):
            self.taken.append((self._sent, time.perf_counter() - self._sent, int(data[9:12])))
            self._sent = 0.0

    def close(self) -> None:
        if self._sent:
            self.taken.append((self._sent, float("inf"), 0))
        if self._transport is not None:
            self._transport.close()


class OpenLoop:
    """The generator.

    Parameters
    ----------
    port
        Where the server listens, on loopback.
    requests
        Sent in turns.
    connections
        The most requests that can be under way at a time.
    """

    def __init__(self, port: int, requests: Sequence[bytes], connections: int) -> None:
        self.free: deque[_Caller] = deque()
        self.framing = Framing()
        self._port, self._requests, self._connections = port, requests, connections
        self._callers: set[_Caller] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._closing = False
        self._next = 0

    def run(self, phases: Sequence[Phase], sample: Callable[[], float]) -> Outcome:
        """Go through the phases; `sample` is called once a second."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(self._run(phases, sample))

    def replace(self, caller: _Caller) -> None:
        """Open a connection in place of one that was closed."""
        self._callers.discard(caller)
        if caller in self.free:
            self.free.remove(caller)
        if not self._closing:
            task = asyncio.get_running_loop().create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        _, caller = await loop.create_connection(lambda: _Caller(self), "127.0.0.1", self._port)
        self._callers.add(caller)

    async def _run(self, phases: Sequence[Phase], sample: Callable[[], float]) -> Outcome:
        loop = asyncio.get_running_loop()
        while len(self._callers) < self._connections:
            count = min(_OPENED_AT_ONCE, self._connections - len(self._callers))
            await asyncio.gather(*(self._open() for _ in range(count)))
        _, pinger = await loop.create_connection(_Pinger, "127.0.0.1", self._port)
        samples: list[tuple[float, float]] = []
        watching = loop.create_task(_watch(pinger, samples, sample))
        began, busy = time.perf_counter(), time.process_time()
        records = {}
        for phase in phases:
            records[phase.name] = await self._arrive(phase)
        share = (time.process_time() - busy) / (time.perf_counter() - began)
        await self._drain()
        watching.cancel()
        pinger.close()
        await self._close()
        return Outcome(records, pinger.taken, samples, share)

    async def _close(self) -> None:
        """Close all connections, also those that are being opened: on one left over, uvloop would not end."""
        self._closing = True
        await asyncio.gather(*self._opening, return_exceptions=True)
        for caller in list(self._callers):
            caller.close()
        await asyncio.sleep(0.02)

    async def _arrive(self, phase: Phase) -> Record:
        """Send what is due, tick by tick; a request counts from when it was due, not from when it was sent."""
        record = Record(began=time.perf_counter(), seconds=phase.seconds)
        sent, total = 0, int(phase.rate * phase.seconds)
        while sent < total:
            due = min(int((time.perf_counter() - record.began) * phase.rate), total)
            while sent < due:
                self._send(record, record.began + sent / phase.rate)
                sent += 1
            await asyncio.sleep(TICK_SECONDS)
        return record

    def _send(self, record: Record, due: float) -> None:
        if not self.free:
            record.unsent += 1
            return
        self._next = (self._next + 1) % len(self._requests)
        self.free.popleft().send(self._requests[self._next], due, record)

    async def _drain(self) -> None:
        deadline = time.perf_counter() + DRAIN_SECONDS
        while len(self.free) < len(self._callers) and time.perf_counter() < deadline:
            await asyncio.sleep(0.02)


async def _watch(pinger: _Pinger, samples: list[tuple[float, float]], sample: Callable[[], float]) -> None:
    every, number = round(SAMPLE_SECONDS / PING_SECONDS), 0
    while True:
        pinger.ping()
        if number % every == 0:
            samples.append((time.perf_counter(), sample()))
        number += 1
        await asyncio.sleep(PING_SECONDS)
