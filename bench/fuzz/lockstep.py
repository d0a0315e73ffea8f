"""Kept-alive connections, on each of which a request is sent before the first answer is read: batches are mixed."""

import socket
import time
from collections.abc import Sequence
from itertools import islice

from bench.connection import AnswerError
from bench.framing import Framing
from bench.fuzz.inputs import Input
from bench.fuzz.tally import Tally

CONNECTIONS = 16
_STATUS = slice(9, 12)  # HTTP/1.1 200


class Lockstep:
    """The connections.

    Parameters
    ----------
    port
        Of the server, on loopback.
    hang_seconds
        After which an answer is given up.
    good
        A request that goes along with every round; its answer must always be the same but for the head.
    tally
        Told of all answers.
    """

    def __init__(self, port: int, hang_seconds: float, good: Input, tally: Tally) -> None:
        self._port = port
        self._hang_seconds = hang_seconds
        self._good = good.wire()
        self._expected: bytes | None = None
        self._tally = tally
        self._framing = Framing()
        self._connections = [self._open() for _ in range(CONNECTIONS + 1)]

    def send(self, inputs: Sequence[Input]) -> None:
        """Send all, a round at a time, and read the answers."""
        left = iter(inputs)
        while some := [each.wire() for each in islice(left, CONNECTIONS)]:
            self._round(some)

    def close(self) -> None:
        """Hang up."""
        for connection in self._connections:
            connection.close()

    def _open(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=self._hang_seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _round(self, wires: list[bytes]) -> None:
        # The good one in the middle, to be batched with those before it and after it.
        middle = len(wires) // 2
        together = [*wires[:middle], self._good, *wires[middle:]]
        began = [self._send(place, wire) for place, wire in enumerate(together)]
        for place, wire in enumerate(together):
            data = self._read(place, wire, began[place])
            if place == middle:
                self._check_good(data)
            elif data:
                self._tally.answered(int(data[_STATUS]), time.perf_counter() - began[place], wire)

    def _send(self, place: int, wire: bytes) -> float:
        began = time.perf_counter()
        try:
            self._connections[place].sendall(wire)
        except OSError as error:
            self._give_up(place, f"could not be sent: {error}", wire)
        return began

    def _read(self, place: int, wire: bytes, began: float) -> bytes:
        """Return a whole answer; nothing if there is none."""
        data = b""
        try:
            while (length := self._framing.length(data)) is None or len(data) < length:
                more = self._connections[place].recv(1 << 18)
                if not more:
                    raise AnswerError(f"closed after {len(data)} bytes of an answer")
                data += more
        except TimeoutError:
            seconds = time.perf_counter() - began
            self._give_up(place, f"no answer in {seconds:.1f} s, {len(data)} bytes of one", wire)
            return b""
        except (OSError, AnswerError) as error:
            self._give_up(place, f"no answer: {error}", wire)
            return b""
        if len(data) > length:
            self._give_up(place, f"{len(data) - length} bytes after the answer: {data[length:][:300]!r}", wire)
        elif self._framing.closes(data):
            self._renew(place)
        return data

    def _check_good(self, data: bytes) -> None:
        status, body = data[_STATUS], data.partition(b"\r\n\r\n")[2]
        self._expected = self._expected or body
        if status != b"200" or body != self._expected:
            self._tally.failed(f"a good request beside others was answered {data[-300:]!r}", self._good)

    def _give_up(self, place: int, why: str, wire: bytes) -> None:
        self._tally.failed(why, wire)
        self._renew(place)

    def _renew(self, place: int) -> None:
        self._connections[place].close()
        self._connections[place] = self._open()
