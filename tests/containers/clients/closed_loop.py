"""Clients that send the next request as soon as the last is answered, and write down what became of each."""

import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread

from bench.framing import Framing

PATIENCE_SECONDS = 40.0
ANSWERED, ORDERLY, REFUSED = "200", "503", "connection refused"
CUT, DROPPED, ODD = "cut off within its answer", "closed without an answer", "something else"


@dataclass
class Ledger:
    """What became of a client's requests.

    Parameters
    ----------
    outcomes
        How many had which end.
    odd
        Beginnings of answers that should not be, and errors.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)


class Client:
    """A client on a thread of its own.

    Parameters
    ----------
    port
        Of the server.
    requests
        What is sent together, before the first of the answers is read.
    is_good
        Whether the body of a 200 is what it should be.
    pause_seconds
        Between an answer and the next request.
    """

    def __init__(
        self, port: int, requests: Sequence[bytes], is_good: Callable[[bytes], bool], pause_seconds: float = 0.0
    ) -> None:
        self.ledger = Ledger()
        self._port = port
        self._requests = requests
        self._is_good = is_good
        self._pause_seconds = pause_seconds
        self._stop = Event()
        self._framing = Framing()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self) -> Ledger:
        """Wait until the server refuses connections, as it does when it is gone; return what there is to tell."""
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), self.ledger
        return self.ledger

    def _run(self) -> None:
        while not self.ledger.outcomes[REFUSED]:
            try:
                with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_SECONDS) as connection:
                    self._talk(connection)
            except ConnectionRefusedError:
                self._count(REFUSED)
            except OSError as error:  # before anything was sent
                self._count(DROPPED, f"while connecting: {error!r}")

    def _talk(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        goes_on, data = True, b""
        while goes_on:
            try:
                connection.sendall(b"".join(self._requests))
            except OSError as error:
                self._count(DROPPED, f"while sending: {error!r}")
                return
            for _ in self._requests:
                goes_on, data = self._hear(connection, data)
                if not goes_on:  # the rest of what was sent ahead is not answered, as the answer said
                    return
            time.sleep(self._pause_seconds)

    def _hear(self, connection: socket.socket, data: bytes) -> tuple[bool, bytes]:
        """Read one answer; return whether the connection goes on, and what has been read beyond."""
        try:
            while (length := self._framing.length(data)) is None or len(data) < length:
                more = connection.recv(1 << 18)
                if not more:
                    raise ConnectionError("closed")
                data += more
        except OSError as error:
            self._count(CUT if data else DROPPED, f"{error!r} after {len(data)} bytes: {data[:200]!r}")
            return False, b""
        closes = self._framing.closes(data)
        head, _, body = data[:length].partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 200") and self._is_good(body):
            self._count(ANSWERED)
        elif head.startswith(b"HTTP/1.1 503"):
            self._count(ORDERLY)
        else:
            self._count(ODD, repr(data[:300]))
        return not closes, data[length:]

    def _count(self, outcome: str, odd: str = "") -> None:
        self.ledger.outcomes[outcome] += 1
        if odd:
            self.ledger.odd.append(f"{outcome}: {odd}")


def together(clients: Sequence[Client]) -> Ledger:
    """Wait for all; return what there is to tell of them together."""
    whole = Ledger()
    for client in clients:
        ledger = client.join()
        whole.outcomes.update(ledger.outcomes)
        whole.odd += ledger.odd
    return whole
