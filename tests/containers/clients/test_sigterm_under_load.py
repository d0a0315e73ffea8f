"""SIGTERM while clients send all they can: what was accepted is answered, and the others are told in good order."""

import json
import socket
import time

import pytest

from model_containers.training import replay
from tests.containers.clients.closed_loop import ANSWERED, CUT, DROPPED, ODD, ORDERLY, Client, Ledger, together

LINES = replay.rows(8_000, 8_016)
LARGE_ROWS = 4_000
ROUNDS, CLIENTS = 3, 16
MOST_RESET = 2


def post(body: bytes, content_type: str = "text/csv") -> bytes:
    head = f"POST /invocations HTTP/1.1\r\nhost: here\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


SMALL = [post(line.encode()) for line in LINES]
LARGE = post("\n".join([LINES[0]] * LARGE_ROWS).encode())


def has_rows(count: int):
    return lambda body: len(json.loads(body)["predictions"]) == count


def small(port: int, number: int) -> Client:
    return Client(port, [SMALL[number]], has_rows(1))


def pipelining(port: int, number: int) -> Client:
    return Client(port, SMALL[:8], has_rows(1))


def large(port: int, number: int) -> Client:
    return Client(port, [LARGE], has_rows(LARGE_ROWS))


def large_pipelining(port: int, number: int) -> Client:
    return Client(port, [LARGE] * 3, has_rows(LARGE_ROWS))


def mixed(port: int, number: int) -> Client:
    return (small, pipelining, large, large_pipelining)[number % 4](port, number)


def check(ledger: Ledger) -> None:
    told = (ledger.outcomes, ledger.odd[:5])
    assert not {CUT, ODD} & set(ledger.outcomes), told
    # Between the last look at who has come and the closing of the socket somebody may come: the kernel resets him.
    assert ledger.outcomes[DROPPED] <= MOST_RESET, told
    assert ledger.outcomes[ANSWERED] > CLIENTS, told
    assert ledger.outcomes[ORDERLY] > 0, told


@pytest.mark.parametrize("client", [small, pipelining, large, large_pipelining, mixed])
@pytest.mark.parametrize("turn", range(ROUNDS))
def test_nothing_is_lost(start, unpacked, client, turn):
    server = start(unpacked("1.0.0")).ready()
    clients = [client(server.port, number) for number in range(CLIENTS)]
    server.wait_until(lambda: sum(each.ledger.outcomes[ANSWERED] for each in clients) > CLIENTS)
    time.sleep(0.05 * turn)

    server.terminate()
    ledger = together(clients)

    assert server.exit_status() == 0
    check(ledger)
    assert [line["abandoned"] for line in server.lines() if "abandoned" in line] == [0]


def test_an_answer_is_read_to_its_end_however_slowly(start, unpacked):
    """Nor does what the client has sent ahead take the answer back: to close on unread bytes would be a reset."""
    server = start(unpacked("1.0.0"), TIDEGATE_LAME_DUCK_SECONDS="0").ready()
    rows = "\n".join(LINES[:1] * LARGE_ROWS)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(LARGE * 3)
        server.wait_until(lambda: b'requests_total{status="200"} 3' in server.get("/metrics").body)
        server.terminate()
        time.sleep(0.3)
        connection.sendall(post(rows.encode()))
        time.sleep(3.0)
        data = b"".join(iter(lambda: connection.recv(4096), b""))

    heads = [part for part in data.split(b"HTTP/1.1 ") if part]
    assert [head[:3] for head in heads[:3]] == [b"200"] * 3
    for head in heads[:3]:
        assert len(json.loads(head.partition(b"\r\n\r\n")[2])["predictions"]) == LARGE_ROWS
    assert server.exit_status() == 0


def test_a_body_that_is_still_coming_at_the_end_is_refused_in_order(start, unpacked):
    server = start(unpacked("1.0.0"), TIDEGATE_LAME_DUCK_SECONDS="0").ready()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(LARGE[: len(LARGE) // 2])
        time.sleep(0.2)
        server.terminate()
        server.wait_until(lambda: any("abandoned" in line for line in server.lines()))
        time.sleep(0.2)
        connection.sendall(LARGE[len(LARGE) // 2 :])
        data = b"".join(iter(lambda: connection.recv(65536), b""))

    assert data.startswith(b"HTTP/1.1 503")
    assert b"connection: close" in data
    assert data.count(b"HTTP/1.1") == 1
    assert server.exit_status() == 0
