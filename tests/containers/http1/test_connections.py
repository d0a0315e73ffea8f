"""Connections: kept, closed when asked for, given up when left alone, and known to be gone."""

import asyncio

import pytest

from tests.containers.http1.echo import Client, post


def test_a_connection_is_kept_for_the_next_request(client):
    for word in (b"one", b"two"):
        status, headers, body = client.send(post(word)).answer()
        assert (status, body) == (200, b"POST /invocations  " + word)
        assert headers["content-type"] == "text/plain"
        assert headers["date"].endswith("GMT")
        assert "connection" not in headers


def test_requests_sent_ahead_are_answered_one_by_one_and_in_order(server, client):
    server.hold()
    client.send(b"".join(post(b"%d" % number) for number in range(40)))
    server.wait_until(lambda: len(server.seen) == 1)
    server.go_on()

    assert [client.answer()[2] for _ in range(40)] == [b"POST /invocations  %d" % number for number in range(40)]


def test_requests_sent_ahead_that_are_answered_at_once_do_not_pile_up(server, client):
    client.send(post() * 20_000)

    assert all(client.answer()[0] == 200 for _ in range(20_000))


@pytest.mark.parametrize(
    "request_line", [b"GET /x HTTP/1.0\r\n\r\n", b"GET /x HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n"]
)
def test_whoever_wants_it_closed_gets_it_closed(client, request_line):
    status, headers, _ = client.send(request_line).answer()

    assert (status, headers["connection"]) == (200, "close")
    assert client.is_closed()


def test_there_is_nobody_to_connect_to(server, client):
    assert client.send(b"CONNECT here:80 HTTP/1.1\r\nhost: here\r\n\r\n").answer()[1]["connection"] == "close"


def test_answers_are_the_last_of_their_connections_while_the_server_drains(server, client):
    assert "connection" not in client.send(post(b"x")).answer()[1]

    server.front.draining = True

    assert client.send(post(b"x")).answer()[1]["connection"] == "close"
    assert client.is_closed()


def test_whoever_hangs_up_is_known_to_be_gone(server, client):
    server.hold()
    client.send(post(b"x"))
    server.wait_until(lambda: len(server.seen) == 1)
    assert not server.seen[0].is_gone()

    client.socket.close()
    client._read.close()

    server.wait_until(server.seen[0].is_gone)
    server.go_on()
    server.wait_until(lambda: server.budget.held == 0 and not server.front.connections)


def test_closing_answers_what_is_being_worked_on_and_drops_idle_connections(server, client):
    idle = Client(server.port).send(post(b"x"))
    assert idle.answer()[0] == 200
    server.hold()
    client.send(post(b"last"))
    server.wait_until(lambda: len(server.seen) == 2)

    closing = asyncio.run_coroutine_threadsafe(server.front.close(30.0), server.loop)
    assert idle.is_closed()
    server.go_on()

    status, headers, body = client.answer()
    assert (status, headers["connection"], body) == (200, "close", b"POST /invocations  last")
    closing.result(30)


def test_a_connection_that_is_left_alone_is_closed(server, client):
    assert client.send(post(b"x")).answer()[0] == 200

    server.front._idle_seconds = 0.0

    assert client.is_closed()


def test_a_handler_that_breaks_is_a_500_and_the_next_request_is_answered(client):
    status, _, body = client.send(post(path="/break")).answer()

    assert status == 500
    assert b"on purpose" not in body
    assert client.send(post(b"after")).answer()[0] == 200
