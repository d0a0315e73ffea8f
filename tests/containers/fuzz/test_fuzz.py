"""The fuzzer itself: a short run finds nothing, and what would be wrong is found."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from bench.fuzz import malformed
from bench.fuzz.inputs import Input
from bench.fuzz.lockstep import Lockstep
from bench.fuzz.run import GROWTH_BYTES, Memory, Outcome, Plan, grown, run
from bench.fuzz.tally import Tally

GOOD = Input("/invocations", (), b"good")
INPUTS = 6_600
HANG_SECONDS = 20.0
"""Far more than a fuzzing run allows: other tests run beside this one."""


def test_no_input_brings_a_5xx_a_hang_or_growth(tmp_path):
    outcome = run(Plan(INPUTS, seed=7, hang_seconds=HANG_SECONDS), tmp_path, lambda inputs, slowest: None)

    assert outcome.broken == []
    assert outcome.failures == []
    assert outcome.inputs == INPUTS
    for kind, tally in outcome.tallies.items():
        wanted = {400} if kind == malformed.KIND else {200, 400}
        assert wanted <= set(tally.statuses), f"{kind}: {tally.statuses}"


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A server that says the same to whatever comes, or nothing at all."""
    connections = []

    def serve() -> None:
        while True:
            try:
                connections.append(listener.accept()[0])
            except OSError:
                return
            threading.Thread(target=talk, args=(connections[-1],), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with suppress(OSError):
            while connection.recv(65536):
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for connection in connections:
        connection.close()


def http(status: str, body: str = "ok") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http("500 Internal Server Error"), "answered 500"),
        (http("503 Service Unavailable"), "answered 503"),
        (http("200 OK") + b"HTTP/1.1 431", "bytes after the answer"),
        (http("200 OK")[:-1], "no answer in"),
        (b"", "no answer in"),
        (http("404 Not Found"), "a good request beside others"),
    ],
)
def test_what_should_not_be_answered_is_found(answer, why):
    tally = Tally()
    with answering(answer) as port:
        lockstep = Lockstep(port, 0.2, GOOD, tally)
        lockstep.send([Input("/invocations", (), b"bad")])
        lockstep.close()

    assert any(why in failure.why for failure in tally.failures), tally


@pytest.mark.parametrize(("answer", "why"), [(http("500 Oops"), "answered 500"), (b"", "not closed")])
def test_what_malformed_http_should_not_be_answered_with_is_found(answer, why):
    tally = Tally()

    with deaf_to_hanging_up(answer) as port:
        malformed.send(port, [b"rubbish"], 0.2, Random(1), tally)

    assert any(why in failure.why for failure in tally.failures), tally


@contextmanager
def deaf_to_hanging_up(answer: bytes) -> Iterator[int]:
    """A server that leaves connections open whose callers have hung up."""
    kept = []

    def serve() -> None:
        connection = listener.accept()[0]
        kept.append(connection)
        connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
    for connection in kept:
        connection.close()


def test_growth_beyond_the_bound_is_found():
    start = 100_000_000
    memory = {
        "flat": Memory(start, settled=2 * start, end=2 * start + GROWTH_BYTES),
        "grows": Memory(start, settled=start, end=start + GROWTH_BYTES + 1),
    }

    (found,) = grown(Outcome(memory=memory))

    assert found.startswith("grows: memory grew by 25.2 MB")


def test_same_seed_draws_the_same_inputs(tmp_path: Path):
    from bench.fuzz import chunk, grammar, targets
    from model_containers.serving.serving.signature import Signature

    signature = Signature.load(targets.build(targets.LABELS, tmp_path / "model") / "signature.json")
    first, again, other = (chunk.inputs_of(grammar.CSV, signature, 60, Random(number)) for number in (1, 1, 2))

    assert first == again
    assert first != other
