"""A server that echoes, for the tests of HTTP alone, and a client that reads whole answers."""

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest
import uvloop

from model_containers.serving.serving.answers import Answer, problem_answer
from model_containers.serving.serving.budget import Budget
from model_containers.serving.serving.http1 import STRAIGHT_BYTES, Connection, Front, Reply, Request

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


def post(body: bytes = b"", path: str = "/invocations", *headers: str) -> bytes:
    head = [f"POST {path} HTTP/1.1", "host: here", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body
