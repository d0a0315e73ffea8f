"""Bodies of which most is received without the parser: whole, held once, and given up with their connection."""

import tracemalloc

import pytest

from model_containers.serving.serving.http1 import LARGEST_HEAD, STRAIGHT_BYTES
from tests.containers.http1.echo import LARGE, Client, post


@pytest.mark.parametrize("size", [LARGEST_HEAD + 1, STRAIGHT_BYTES, 2 * STRAIGHT_BYTES + 1, LARGE])
def test_bodies_of_many_reads_arrive_whole_and_the_connection_is_kept(roomy, size):
    client, body = Client(roomy.port), bytes(range(251)) * (size // 251) + b"!" * (size % 251)

    for _ in range(3):
        assert client.send(post(body)).answer()[2] == b"POST /invocations  " + body
    assert {type(request.body) for request in roomy.seen} == {bytes}
    assert roomy.budget.held == 0


def test_a_large_body_may_come_in_pieces_with_the_next_request_at_its_heels(roomy):
    body = b"0123456789abcdef" * (LARGE // 16)
    head, half = post(body)[: -len(body)], body[: LARGE // 2]
    rest = body + post(b"next") + post(half, "/size") + post(b"last")
    client = Client(roomy.port).send(head)
    roomy.wait_until(lambda: roomy.budget.held == LARGE)
    client.send(rest[:10], rest[10 : LARGE // 2], rest[LARGE // 2 :])

    assert client.answer()[2] == b"POST /invocations  " + body
    answers = [client.answer()[2] for _ in range(3)]
    assert answers == [b"POST /invocations  next", b"%d" % len(half), b"POST /invocations  last"]


@pytest.mark.parametrize("wish", ["connection: close", "expect: 100-continue"])
def test_what_is_asked_for_besides_holds_for_large_bodies_too(roomy, wish):
    client = Client(roomy.port).send(post(b"x" * LARGE, "/size", wish))
    is_told_to_go_on = "expect" in wish
    if is_told_to_go_on:
        assert client._read.readline() + client._read.readline() == b"HTTP/1.1 100 Continue\r\n\r\n"

    status, headers, body = client.answer()

    assert (status, body) == (200, b"%d" % LARGE)
    assert (headers.get("connection") == "close") is not is_told_to_go_on


def test_a_large_body_is_held_only_once(roomy):
    request, client = post(b"x" * LARGE, "/size"), Client(roomy.port)
    tracemalloc.start()
    try:
        assert client.send(request).answer()[2] == b"%d" % LARGE
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 1.5 * LARGE


def test_whoever_hangs_up_within_a_large_body_leaves_nothing_behind(roomy):
    client = Client(roomy.port).send(post(b"x" * LARGE)[: LARGE // 2])
    roomy.wait_until(lambda: roomy.budget.held == LARGE)

    client._read.close()
    client.socket.close()

    roomy.wait_until(lambda: roomy.budget.held == 0 and not roomy.front.connections)
    assert roomy.seen == []


def test_a_large_body_that_there_is_no_room_for_is_refused_at_its_end(roomy):
    others = [Client(roomy.port).send(post(b"x" * LARGE)[:-1]) for _ in range(2)]
    roomy.wait_until(lambda: roomy.budget.held == 2 * LARGE)

    status, _, body = Client(roomy.port).send(post(b"x" * LARGE)).answer()

    assert status == 503
    assert b"memory" in body
    assert [other.send(b"x").answer()[0] for other in others] == [200, 200]
    assert roomy.budget.held == 0


def test_what_the_caller_reads_within_a_large_body_is_noted(roomy):
    client = Client(roomy.port).send(post(b"x" * LARGE, "/size")[:-1])
    roomy.wait_until(lambda: roomy.budget.held == LARGE)
    (connection,) = roomy.front.connections
    told = connection._transport.get_protocol()

    told.pause_writing()
    assert not connection._can_write
    roomy.loop.call_soon_threadsafe(told.resume_writing)

    assert client.send(b"x").answer()[2] == b"%d" % LARGE


def test_a_large_body_that_goes_on_coming_keeps_its_connection(roomy):
    client = Client(roomy.port).send(post(b"x" * LARGE, "/size")[:-4])
    roomy.wait_until(lambda: roomy.budget.held == LARGE)
    (connection,) = roomy.front.connections
    for _ in range(4):
        before = connection._active_at = roomy.loop.time() - 50.0
        client.send(b"x")
        roomy.wait_until(lambda before=before: connection._active_at > before)

    assert client.answer()[2] == b"%d" % LARGE
