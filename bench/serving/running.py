"""A server that runs: started, awaited until its first good answer, and measured turn by turn."""

import http.client
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.connection import AnswerError
from bench.errors import BenchError
from bench.framing import Framing
from bench.load import Load, LoadGenerator
from bench.serving.models import Case
from bench.serving.processes import Processes
from bench.serving.servers import Server, Setting, free_port

START_SECONDS = 60.0
TOLERANCE = 1e-3
"""How far an answer may be from the model's own: batches of another size round otherwise."""
_POLL_SECONDS = 0.005
_LAST_LINES = 6


class StartError(BenchError):
    """A server did not come up."""


class WrongAnswerError(BenchError):
    """A server answered something else than its model does."""


@dataclass(frozen=True)
class Turn:
    """What one turn of a server gave.

    Parameters
    ----------
    load
        As the generator saw it.
    cpu_seconds
        Processor time of all the server's processes for each answer, warm-up included.
    """

    load: Load
    cpu_seconds: float


class Running:
    """A server that has given its first good answer.

    Parameters
    ----------
    server, case, format
        What runs, with which model, and how it is spoken to.
    expected
        The model's own first output for each row of the case.
    processes, port
        Where it is.
    cold_seconds
        From its start to the first good answer.
    """

    def __init__(
        self,
        server: Server,
        case: Case,
        format_: str,
        expected: Sequence[float],
        processes: Processes,
        port: int,
        cold_seconds: float,
    ) -> None:
        self.processes = processes
        self.port = port
        self.cold_seconds = cold_seconds
        self.rss_bytes, self.pss_bytes = processes.rss_bytes(), processes.pss_bytes()
        self._server, self._format, self._expected = server, format_, expected
        self._requests = [server.dialect.request(format_, row, case.outputs) for row in case.rows]

    def requests(self, clients: int) -> list[bytes]:
        """Return a request for each client, no two alike while there are rows."""
        return [self._requests[number % len(self._requests)] for number in range(clients)]

    def take_turn(self, load: LoadGenerator, clients: int, seconds: float, warm_up_seconds: float) -> Turn:
        """Let it run for one turn, and stop it again.

        Raises
        ------
        AnswerError, WrongAnswerError
            If it fails, or a client's last answer is another's.
        """
        self.processes.resume()
        try:
            before = self.processes.cpu_seconds()
            measured = load.measure(self.port, self.requests(clients), seconds, warm_up_seconds)
            used = self.processes.cpu_seconds() - before
        finally:
            self.processes.pause()
        self._check(measured)
        return Turn(measured, used / measured.answered)

    def _check(self, measured: Load) -> None:
        for number, (head, body) in enumerate(measured.answers):
            expected = self._expected[number % len(self._expected)]
            given = self._server.dialect.score(self._format, head, body)
            if abs(given - expected) > TOLERANCE:
                raise WrongAnswerError(f"client {number} was answered {given}, where the model says {expected}")


@contextmanager
def running(
    server: Server, case: Case, format_: str, expected: Sequence[float], folder: Path, core: int
) -> Iterator[Running]:
    """Run a server on a core; it is stopped (paused) until its first turn.

    Raises
    ------
    StartError
        If it gives no good answer in time, with the last lines of its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log, port = folder / "server.log", free_port()
    setting = Setting(case, format_, port, folder)
    launch = server.launch(setting)
    request = server.dialect.request(format_, case.rows[0], case.outputs)
    began = time.perf_counter()
    processes = Processes(launch.command, launch.folder, launch.environment, log, core)
    try:
        _await_good_answer(server, format_, request, expected[0], processes, port, log)
        up = Running(server, case, format_, expected, processes, port, time.perf_counter() - began)
        processes.pause()
        yield up
    finally:
        processes.end()


def _await_good_answer(
    server: Server, format_: str, request: bytes, expected: float, processes: Processes, port: int, log: Path
) -> None:
    deadline, why = time.perf_counter() + START_SECONDS, "no answer"
    while time.perf_counter() < deadline and not processes.ended:
        try:
            head, body = _exchange(port, request)
            given = server.dialect.score(format_, head, body)
            if abs(given - expected) <= TOLERANCE:
                return
            why = f"answered {given}, where the model says {expected}"
        except (OSError, BenchError, http.client.HTTPException) as error:
            why = str(error)
        time.sleep(_POLL_SECONDS)
    ended = "it ended" if processes.ended else f"no good answer within {START_SECONDS:g} s"
    last = " | ".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
    raise StartError(f"{ended}; {why[:200]}; its log: {last[-600:] or '(empty)'}")


def _exchange(port: int, request: bytes) -> tuple[bytes, bytes]:
    """Send one request on a connection of its own; the answer's head and body."""
    import socket

    with socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as connection:
        connection.sendall(request)
        data, framing = b"", Framing()
        while (whole := framing.length(data)) is None or len(data) < whole:
            more = connection.recv(65536)
            if not more:
                raise AnswerError("the server closed the connection")
            data += more
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise AnswerError(data[:300].decode(errors="replace"))
    return head, body
