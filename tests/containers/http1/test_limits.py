"""What is too large, too much together or without end is refused, and given back."""

from contextlib import suppress

import pytest

from model_containers.serving.serving.http1 import LARGEST_HEAD
from tests.containers.http1.echo import LIMIT, Client, post


def test_a_body_beyond_the_limit_is_read_to_its_end_and_refused(server, client):
    status, _, body = client.send(post(b"x" * (LIMIT + 1))).answer()

    assert status == 413
    assert b"1000 bytes" in body
    assert server.budget.held == 0
    assert server.seen == []
    assert client.send(post(b"after")).answer()[0] == 200


def test_a_body_without_end_is_cut_off(server, client):
    client.send(b"POST /x HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n")
    with suppress(ConnectionError):
        for _ in range(100):
            client.send(b"3e8\r\n" + b"x" * LIMIT + b"\r\n")

    assert client.answer()[0] == 413
    assert server.budget.held == 0


def test_bodies_that_together_exceed_the_budget_are_refused_until_others_are_answered(server, client):
    server.hold()
    others = [Client(server.port).send(post(b"x" * LIMIT)) for _ in range(2)]
    server.wait_until(lambda: len(server.seen) == 2)

    status, headers, body = client.send(post(b"x" * LIMIT)).answer()
    server.go_on()

    assert (status, headers["retry-after"]) == (503, "1")
    assert b"memory" in body
    assert [other.answer()[0] for other in others] == [200, 200]
    assert server.budget.held == 0
    assert Client(server.port).send(post(b"x" * LIMIT)).answer()[0] == 200


@pytest.mark.parametrize("endless", [b"GET /x HTTP/1.1\r\nx: ", b"GET /", b""])
def test_headers_without_end_are_cut_off(client, endless):
    filler = b"\r\n" if endless == b"" else b"x"
    client.send(endless)
    with suppress(ConnectionError):
        for _ in range(4):
            client.send(filler * (LARGEST_HEAD // 2))

    assert client.answer()[0] == 431
    assert client.is_closed()
