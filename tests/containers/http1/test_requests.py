"""Requests as clients really send them: in pieces, in chunks, with wishes, and with heads that are known already."""

import pytest

from tests.containers.http1.echo import Client, post


def test_a_request_may_come_in_pieces(client):
    pieces = [bytes([byte]) for byte in post(b"ten bytes.", "/a/long/path?with=query", "X-Say: yes")]

    assert client.send(*pieces).answer()[2] == b"POST /a/long/path yes ten bytes."


def test_chunks_are_put_together(client):
    head = b"POST /x HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n"

    assert client.send(head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n").answer()[2] == b"POST /x  abcde"


def test_what_follows_a_body_in_chunks_is_no_header(server, client):
    client.send(b"POST /x HTTP/1.1\r\nx-say: yes\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-say: no\r\n\r\n")

    assert client.answer()[2] == b"POST /x yes a"


def test_whoever_asks_for_it_is_told_to_go_on_with_the_body(client):
    client.send(b"POST /x HTTP/1.1\r\nhost: here\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n")

    assert client._read.readline() == b"HTTP/1.1 100 Continue\r\n"
    assert client._read.readline() == b"\r\n"
    assert client.send(b"abc").answer()[2] == b"POST /x  abc"


def test_head_is_answered_without_a_body_and_the_connection_goes_on(client):
    _, headers, _ = client.send(b"HEAD /x HTTP/1.1\r\nhost: here\r\n\r\n").answer(has_body=False)

    assert headers["content-length"] == "9"
    assert client.send(post(b"after")).answer()[2].endswith(b"after")


def test_another_protocol_is_not_spoken_and_the_request_is_answered(client):
    upgrade = b"GET /x HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"

    assert client.send(upgrade).answer()[0] == 200


@pytest.mark.parametrize("is_split", [False, True])
def test_the_body_of_a_request_that_asks_for_another_protocol_is_read(server, client, is_split):
    wish = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"]
    request = post(b"1,2,3", "/invocations", *wish)
    pieces = [request[:-2], request[-2:]] if is_split else [request + post(b"next")]

    assert client.send(*pieces).answer()[2] == b"POST /invocations  1,2,3"
    assert is_split or client.answer()[2] == b"POST /invocations  next"


def test_a_head_that_is_known_means_the_same_again_whatever_the_body(server, client):
    for body in (b"one", b"two", b""):
        for _ in range(2):
            request = post(body, "/path?query", "X-Say: yes")
            assert client.send(request).answer()[2] == b"POST /path yes " + body
    split = post(b"two", "/path?query", "X-Say: yes")
    assert client.send(split[:-1], split[-1:]).answer()[2] == b"POST /path yes two"
    assert [dict(request.headers) for request in server.seen[:2]] == [dict(server.seen[0].headers)] * 2


def test_the_beginning_of_the_next_request_is_not_taken_for_the_end_of_this_one(server, client):
    ping = b"GET /ping HTTP/1.1\r\nhost: here\r\n\r\n"
    client.send(ping + b"POST /other HTTP/1.1\r\nX-Foo: ")
    assert client.answer()[2].startswith(b"GET /ping")
    client.send(ping)  # which ends the other request's headers
    assert client.answer()[2].startswith(b"POST /other")

    assert Client(server.port).send(ping).answer()[2].startswith(b"GET /ping")
    assert client.send(post(ping) + b"POST /other HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(ping)).answer()
    assert client.send(ping).answer()[2] == b"POST /other  " + ping


def test_what_changes_the_connection_is_never_known(server, client):
    for _ in range(3):
        other = Client(server.port)
        assert other.send(post(b"x", "/x", "Connection: close")).answer()[1]["connection"] == "close"
        assert other.is_closed()
    twice = post(b"a") + post(b"b")
    for _ in range(2):
        client.send(twice)
        assert [client.answer()[2][-1:] for _ in range(2)] == [b"a", b"b"]
