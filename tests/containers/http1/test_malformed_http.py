"""What is not quite HTTP, by the thousand: nobody waits in vain, nothing is held afterwards, and others are served."""

import socket
import time
from contextlib import suppress
from random import Random

import pytest

from bench.fuzz import malformed
from bench.fuzz.inputs import Input
from bench.fuzz.tally import Tally
from model_containers.serving.serving.http1 import LARGEST_HEAD
from tests.containers.http1.echo import LARGE, Client, Server, post

INPUTS = 2_000
HANG_SECONDS = 20.0


def test_nobody_waits_in_vain_and_nothing_is_held(server):
    chance, tally = Random(1), Tally()
    bodies = [Input("/invocations", (), chance.randbytes(chance.choice((0, 3, 300, 1_500)))) for _ in range(INPUTS)]

    malformed.send(server.port, malformed.wires(bodies, chance), HANG_SECONDS, chance, tally)

    assert tally.failures == []
    assert tally.inputs == INPUTS
    assert {200, 400} <= set(tally.statuses)
    server.wait_until(lambda: server.budget.held == 0 and not server.front.connections)
    assert Client(server.port).send(post(b"well")).answer()[0] == 200


@pytest.mark.parametrize(
    "endless",
    [
        b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: ",
        b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3;x=",
        b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\ny: ",
    ],
    ids=["trailer", "chunk extension", "second trailer"],
)
def test_what_follows_a_body_without_end_is_cut_off(server, client, endless):
    client.send(b"POST /x HTTP/1.1\r\nhost: here\r\n" + endless)
    with suppress(ConnectionError):
        for _ in range(6):
            client.send(b"x" * (LARGEST_HEAD // 2))

    assert client.answer()[0] in (400, 431)
    assert client.is_closed()
    client.socket.close()
    client._read.close()
    server.wait_until(lambda: server.budget.held == 0 and not server.front.connections)


def test_many_chunks_are_no_endless_head(client):
    client.send(b"POST /x HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(4):
        client.send(b"1;" + b"x" * (LARGEST_HEAD // 3))
        time.sleep(0.1)  # so that it is read apart from the chunk itself
        client.send(b"\r\ny\r\n")
        time.sleep(0.1)

    assert client.send(b"0\r\n\r\n").answer()[2] == b"POST /x  yyyy"


def test_a_request_that_never_comes_to_its_end_is_refused_when_it_is_left_alone(server, client):
    client.send(post(b"whole")[:-2])
    server.wait_until(lambda: server.budget.held == 3)

    server.front._idle_seconds = 0.0

    assert client.answer()[0] == 408
    assert client.is_closed()
    assert server.budget.held == 0


def test_the_last_answer_arrives_whole_whatever_is_still_sent():
    """To close on unread bytes would be a reset, and would take back what the client has not read of the answer."""
    server = Server(LARGE)
    client = Client(server.port)
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    client.send(post(b"x" * LARGE, "/x", "connection: close"))
    server.wait_until(lambda: len(server.seen) == 1 and server.budget.held == 0)
    for _ in range(5):
        time.sleep(0.1)
        client.send(post(b"y" * 900))

    status, headers, body = client.answer()

    assert (status, headers["connection"], len(body)) == (200, "close", len(b"POST /x  ") + LARGE)
    assert client.is_closed()
    assert len(server.seen) == 1
    client.socket.close()
    client._read.close()
    server.wait_until(lambda: not server.front.connections)
    server.end()


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /x HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST /x HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\nabcde",
        b"GET /x HTTP/1.1\r\nbad header\x00: x\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_and_the_connection_closed(client, rubbish):
    status, _, body = client.send(rubbish).answer()

    assert status == 400
    assert b"this is not HTTP/1.1" in body
    assert client.is_closed()
