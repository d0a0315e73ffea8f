"""The load generator: whole answers, each client its own, latencies that are the server's."""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from bench.connection import AnswerError
from bench.framing import Framing
from bench.load import LoadGenerator
from bench.serving.open_loop import OpenLoop, Phase

Answer = Callable[[bytes], bytes]


def http(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{more}\r\n".encode() + body


class Server(socketserver.ThreadingTCPServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 256
    answer: Answer
    delay: float
    pieces: int


class Handler(socketserver.StreamRequestHandler):
    """Answers each line, in pieces."""

    server: Server

    def handle(self) -> None:
        with suppress(ConnectionError):
            while line := self.rfile.readline():
                time.sleep(self.server.delay)
                data = self.server.answer(line.strip())
                size = -(-len(data) // self.server.pieces)
                for start in range(0, len(data), size):
                    self.wfile.write(data[start : start + size])
                if b"connection: close" in data:
                    return


@contextmanager
def serving(answer: Answer, delay: float = 0.0, pieces: int = 1) -> Iterator[int]:
    """Run a server that answers each line after so many seconds."""
    with Server(("127.0.0.1", 0), Handler) as server:
        server.answer, server.delay, server.pieces = answer, delay, pieces  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_each_client_gets_its_own_answers_whatever_their_length() -> None:
    requests = [b"a\n", b"b" * 300 + b"\n"]
    with serving(http, pieces=3) as port:
        load = LoadGenerator().measure(port, requests, 0.2)
    assert [body for _, body in load.answers] == [b"a", b"b" * 300]
    assert 0 < len(load.latencies) <= load.answered
    assert load.rate == pytest.approx(len(load.latencies) / 0.2, rel=0.5)


def test_latencies_are_what_the_server_took() -> None:
    with serving(http, delay=0.02) as port:
        load = LoadGenerator().measure(port, [b"a\n"], 0.3)
    assert 0.02 <= load.percentile(0.5) < 0.2


def test_a_server_that_is_gone_is_an_error_of_its_own() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(AnswerError, match="no connection to the server"):
        LoadGenerator().rate(port, b"GET / HTTP/1.1\r\n\r\n", 1, 0.1)


def test_a_refusal_is_an_error() -> None:
    with serving(lambda line: http(line, "503 Service Unavailable")) as port, pytest.raises(AnswerError, match="503"):
        LoadGenerator().measure(port, [b"a\n"], 0.1)


def test_a_server_that_hangs_up_is_an_error() -> None:
    with (
        serving(lambda line: http(line, more="connection: close\r\n")) as port,
        pytest.raises(AnswerError, match="closed"),
    ):
        LoadGenerator().measure(port, [b"a\n"], 0.3)


def test_arrivals_follow_the_clock_and_not_the_answers() -> None:
    with serving(http, delay=0.1) as port:
        outcome = OpenLoop(port, [b"a\n"], connections=200).run([Phase("only", 400.0, 0.5)], lambda: 1.0)
    record = outcome.records["only"]
    assert len(record.answered) == 200
    assert (record.unsent, record.lost, record.refused) == (0, 0, [])
    assert min(latency for _, latency in record.answered) >= 0.1


def test_arrivals_without_a_connection_are_counted_as_such() -> None:
    with serving(http, delay=1.5) as port:
        outcome = OpenLoop(port, [b"a\n"], connections=10).run([Phase("only", 400.0, 0.25)], lambda: 1.0)
    record = outcome.records["only"]
    assert len(record.answered) == 10
    assert record.unsent == 90


def test_refusals_are_counted_and_closed_connections_replaced() -> None:
    refusal = http(b"no", "503 Service Unavailable", "connection: close\r\n")
    with serving(lambda _line: refusal) as port:
        outcome = OpenLoop(port, [b"a\n"], connections=50).run([Phase("only", 200.0, 0.5)], lambda: 1.0)
    record = outcome.records["only"]
    assert {status for _, status in record.refused} == {503}
    assert len(record.refused) + record.unsent == 100
    assert len(record.refused) > 50  # more than there were connections to begin with
    assert (record.lost, record.answered) == (0, [])


def test_an_answer_ends_where_its_head_says() -> None:
    framing, answer = Framing(), http(b"body")
    assert framing.length(answer[:20]) is None
    assert framing.length(answer + b"the next") == len(answer)
    assert framing.length(http(b"a longer body")) == len(http(b"a longer body"))


def test_an_answer_without_a_length_is_an_error() -> None:
    with pytest.raises(AnswerError, match="Content-Length"):
        Framing().length(b"HTTP/1.1 200 OK\r\n\r\nbody")
