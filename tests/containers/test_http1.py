"""HTTP as clients really speak it: kept alive, pipelined, in pieces, too large, broken off, or not HTTP at all."""

import asyncio
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import uvloop

from model_containers.serving.serving.answers import Answer, problem_answer
from model_containers.serving.serving.budget import Budget
from model_containers.serving.serving.http1 import LARGEST_HEAD, STRAIGHT_BYTES, Connection, Front, Reply, Request

LIMIT = 1000
LARGE = 8 * STRAIGHT_BYTES


class Server:
    """A front in a thread, whose handler echoes and can be held up."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.seen: list[Request] = []
        self.budget = Budget(2 * limit)
        self._limit = limit
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._begun.wait(30)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop, self._held = asyncio.Event(), asyncio.Event()
        self._held.set()
        self.front = Front(self._echo, self.budget, self._limit, idle_seconds=60.0)
        server = await self.loop.create_server(lambda: Connection(self.front), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._begun.set()
        await self._stop.wait()
        server.close()
        await self.front.close(1.0)

    def _echo(self, request: Request, reply: Reply) -> None:
        if request.problem is not None:
            reply(problem_answer(request.problem))
            return
        self.seen.append(request)
        if request.path == "/break":
            raise ValueError("on purpose")
        if self._held.is_set():
            reply(self._answer(request))
        else:
            self._late = self.loop.create_task(self._answer_late(request, reply))

    async def _answer_late(self, request: Request, reply: Reply) -> None:
        await self._held.wait()
        reply(self._answer(request))

    def _answer(self, request: Request) -> Answer:
        if request.path == "/size":
            return Answer(200, "text/plain", str(len(request.body)).encode())
        said = dict(request.headers).get(b"x-say", b"").decode()
        text = f"{request.method} {request.path} {said}".encode()
        return Answer(200, "text/plain", text + b" " + request.body)

    def hold(self) -> None:
        held = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (self._held.clear(), held.set()))
        assert held.wait(30)

    def go_on(self) -> None:
        self.loop.call_soon_threadsafe(self._held.set)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        for _ in range(3000):
            if condition():
                return
            threading.Event().wait(0.01)
        pytest.fail("waited in vain")

    def end(self) -> None:
        self.go_on()
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive()


class Client:
    """A socket that reads whole answers."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._read = self.socket.makefile("rb")

    def send(self, *pieces: bytes) -> "Client":
        for piece in pieces:
            self.socket.sendall(piece)
        return self

    def answer(self, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        status = int(self._read.readline().split()[1])
        headers = {}
        while (line := self._read.readline().strip()) != b"":
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        return status, headers, self._read.read(int(headers["content-length"])) if has_body else b""

    def is_closed(self) -> bool:
        try:
            return self._read.read(1) == b""
        except ConnectionError:
            return True


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.end()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    client = Client(server.port)
    yield client
    with suppress(OSError):
        client.socket.close()


@pytest.fixture
def roomy() -> Iterator[Server]:
    """A server that takes bodies of which most is received without the parser."""
    server = Server(LARGE)
    yield server
    server.end()


def post(body: bytes = b"", path: str = "/invocations", *headers: str) -> bytes:
    head = [f"POST {path} HTTP/1.1", "host: here", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def test_a_connection_is_kept_for_the_next_request(client):
    for word in (b"one", b"two"):
        status, headers, body = client.send(post(word)).answer()
        assert (status, body) == (200, b"POST /invocations  " + word)
        assert headers["content-type"] == "text/plain"
        assert headers["date"].endswith("GMT")
        assert "connection" not in headers


def test_a_request_may_come_in_pieces(client):
    pieces = [bytes([byte]) for byte in post(b"ten bytes.", "/a/long/path?with=query", "X-Say: yes")]

    assert client.send(*pieces).answer()[2] == b"POST /a/long/path yes ten bytes."


def test_chunks_are_put_together(client):
    head = b"POST /x HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n"

    assert client.send(head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n").answer()[2] == b"POST /x  abcde"


def test_requests_sent_ahead_are_answered_one_by_one_and_in_order(server, client):
    server.hold()
    client.send(b"".join(post(b"%d" % number) for number in range(40)))
    server.wait_until(lambda: len(server.seen) == 1)
    server.go_on()

    assert [client.answer()[2] for _ in range(40)] == [b"POST /invocations  %d" % number for number in range(40)]


def test_whoever_asks_for_it_is_told_to_go_on_with_the_body(client):
    client.send(b"POST /x HTTP/1.1\r\nhost: here\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n")

    assert client._read.readline() == b"HTTP/1.1 100 Continue\r\n"
    assert client._read.readline() == b"\r\n"
    assert client.send(b"abc").answer()[2] == b"POST /x  abc"


@pytest.mark.parametrize(
    "request_line", [b"GET /x HTTP/1.0\r\n\r\n", b"GET /x HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n"]
)
def test_whoever_wants_it_closed_gets_it_closed(client, request_line):
    status, headers, _ = client.send(request_line).answer()

    assert (status, headers["connection"]) == (200, "close")
    assert client.is_closed()


def test_head_is_answered_without_a_body_and_the_connection_goes_on(client):
    _, headers, _ = client.send(b"HEAD /x HTTP/1.1\r\nhost: here\r\n\r\n").answer(has_body=False)

    assert headers["content-length"] == "9"
    assert client.send(post(b"after")).answer()[2].endswith(b"after")


def test_another_protocol_is_not_spoken_and_the_request_is_answered(client):
    upgrade = b"GET /x HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"

    assert client.send(upgrade).answer()[0] == 200


def test_a_body_beyond_the_limit_is_read_to_its_end_and_refused(server, client):
    status, _, body = client.send(post(b"x" * (LIMIT + 1))).answer()

    assert status == 413
    assert b"1000 bytes" in body
    assert server.budget.held == 0
    assert server.seen == []
    assert client.send(post(b"after")).answer()[0] == 200


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


@pytest.mark.parametrize("is_split", [False, True])
def test_the_body_of_a_request_that_asks_for_another_protocol_is_read(server, client, is_split):
    wish = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"]
    request = post(b"1,2,3", "/invocations", *wish)
    pieces = [request[:-2], request[-2:]] if is_split else [request + post(b"next")]

    assert client.send(*pieces).answer()[2] == b"POST /invocations  1,2,3"
    assert is_split or client.answer()[2] == b"POST /invocations  next"


def test_there_is_nobody_to_connect_to(server, client):
    assert client.send(b"CONNECT here:80 HTTP/1.1\r\nhost: here\r\n\r\n").answer()[1]["connection"] == "close"


def test_what_follows_a_body_in_chunks_is_no_header(server, client):
    client.send(b"POST /x HTTP/1.1\r\nx-say: yes\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-say: no\r\n\r\n")

    assert client.answer()[2] == b"POST /x yes a"


def test_what_changes_the_connection_is_never_known(server, client):
    for _ in range(3):
        other = Client(server.port)
        assert other.send(post(b"x", "/x", "Connection: close")).answer()[1]["connection"] == "close"
        assert other.is_closed()
    twice = post(b"a") + post(b"b")
    for _ in range(2):
        client.send(twice)
        assert [client.answer()[2][-1:] for _ in range(2)] == [b"a", b"b"]


def test_answers_are_the_last_of_their_connections_while_the_server_drains(server, client):
    assert "connection" not in client.send(post(b"x")).answer()[1]

    server.front.draining = True

    assert client.send(post(b"x")).answer()[1]["connection"] == "close"
    assert client.is_closed()


def test_requests_sent_ahead_that_are_answered_at_once_do_not_pile_up(server, client):
    client.send(post() * 20_000)

    assert all(client.answer()[0] == 200 for _ in range(20_000))


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


@pytest.mark.parametrize("endless", [b"GET /x HTTP/1.1\r\nx: ", b"GET /", b""])
def test_headers_without_end_are_cut_off(client, endless):
    filler = b"\r\n" if endless == b"" else b"x"
    client.send(endless)
    with suppress(ConnectionError):
        for _ in range(4):
            client.send(filler * (LARGEST_HEAD // 2))

    assert client.answer()[0] == 431
    assert client.is_closed()


def test_a_handler_that_breaks_is_a_500_and_the_next_request_is_answered(client):
    status, _, body = client.send(post(path="/break")).answer()

    assert status == 500
    assert b"on purpose" not in body
    assert client.send(post(b"after")).answer()[0] == 200


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


def test_a_large_body_that_goes_on_coming_keeps_its_connection(roomy):
    client = Client(roomy.port).send(post(b"x" * LARGE, "/size")[:-4])
    roomy.wait_until(lambda: roomy.budget.held == LARGE)
    (connection,) = roomy.front.connections
    for _ in range(4):
        before = connection._active_at = roomy.loop.time() - 50.0
        client.send(b"x")
        roomy.wait_until(lambda before=before: connection._active_at > before)

    assert client.answer()[2] == b"%d" % LARGE


def test_a_connection_that_is_left_alone_is_closed(server, client):
    assert client.send(post(b"x")).answer()[0] == 200

    server.front._idle_seconds = 0.0

    assert client.is_closed()
