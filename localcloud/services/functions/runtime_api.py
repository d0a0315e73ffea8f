"""The Lambda Runtime API, which the runtime in each worker process talks to.

Every worker has a port of its own, so that a connection tells whose it is; one thread accepts for all of them.
"""

import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol

_PREFIX = "/2018-06-01/runtime/"


class RuntimeHost(Protocol):
    """A worker, as its runtime sees it."""

    def next_invocation(self) -> Any:
        """Wait for and return the next `Invocation`; None when the worker is to end."""

    def respond(self, request_id: str, payload: bytes, failed: bool) -> None:
        """Take the result or error of an invocation."""

    def fail_start(self, payload: bytes) -> None:
        """Take the error that kept the runtime from starting."""


class RuntimeApi:
    """Listens for the runtimes of all workers."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._changes: list[Callable[[], Any]] = []
        self._lock = threading.Lock()
        self._waker, self._wakee = socket.socketpair()
        self._selector.register(self._wakee, selectors.EVENT_READ, None)
        self._running = True
        self._thread = threading.Thread(target=self._accept, name="localcloud-runtime-api", daemon=True)
        self._thread.start()

    def open(self, host: RuntimeHost) -> socket.socket:
        """Return a listening socket whose connections belong to `host`."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._change(lambda: self._selector.register(listener, selectors.EVENT_READ, host))
        return listener

    def close(self, listener: socket.socket) -> None:
        """Stop listening on a socket."""

        def forget() -> None:
            self._selector.unregister(listener)
            listener.close()

        self._change(forget)

    def stop(self) -> None:
        """Stop listening altogether."""
        self._running = False
        self._waker.send(b"x")
        self._thread.join(5)
        for key in list(self._selector.get_map().values()):
            _close(key.fileobj)
        self._selector.close()
        self._waker.close()

    def _change(self, change: Callable[[], Any]) -> None:
        with self._lock:
            self._changes.append(change)
        if self._running:
            self._waker.send(b"x")

    def _accept(self) -> None:
        while self._running:
            for key, _ in self._selector.select():
                if key.data is None:
                    self._wakee.recv(4096)
                    self._apply_changes()
                else:
                    self._serve(key.fileobj, key.data)

    def _apply_changes(self) -> None:
        with self._lock:
            changes, self._changes = self._changes, []
        for change in changes:
            change()

    def _serve(self, listener: Any, host: RuntimeHost) -> None:
        try:
            connection, address = listener.accept()
        except OSError:
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(target=_converse, args=(connection, address, host), daemon=True)
        thread.name = "localcloud-runtime"
        thread.start()


def _close(fileobj: Any) -> None:
    fileobj.close()


def _converse(connection: socket.socket, address: Any, host: RuntimeHost) -> None:
    """Serve one connection of a runtime until either side ends it."""
    with connection:
        try:
            _RuntimeHandler(connection, address, host)  # type: ignore[arg-type]
        except OSError:
            return


class _RuntimeHandler(BaseHTTPRequestHandler):
    """Speaks HTTP with the runtime; the "server" it was given is the worker."""

    protocol_version = "HTTP/1.1"
    # One write per answer: unbuffered, headers and body would go out as small packets that wait for each other.
    wbufsize = -1
    server: Any

    def do_GET(self) -> None:
        """Answer ``invocation/next``, once there is one."""
        invocation = self.server.next_invocation()
        if invocation is None:
            self.close_connection = True
            return
        invocation.begin(time.time())
        self._send(200, invocation.payload, dict(_invocation_headers(invocation)))

    def do_POST(self) -> None:
        """Take a result or an error."""
        body = self._body()
        parts = self.path.removeprefix(_PREFIX).split("/")
        if parts[0] == "init":
            self.server.fail_start(body)
        elif parts[0] == "invocation" and parts[-1] in ("response", "error"):
            self.server.respond(parts[1], body, parts[-1] == "error")
        self._send(202, b'{"status":"OK"}', {})

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: every invocation passes here."""


def _invocation_headers(invocation: Any) -> Iterator[tuple[str, str]]:
    yield "Lambda-Runtime-Aws-Request-Id", invocation.request_id
    yield "Lambda-Runtime-Deadline-Ms", str(int((invocation.started_at + invocation.timeout) * 1000))
    yield "Lambda-Runtime-Invoked-Function-Arn", invocation.function_arn
    trace = f"1-{int(invocation.started_at):08x}-{invocation.request_id.replace('-', '')[:24]}"
    yield "Lambda-Runtime-Trace-Id", f"Root={trace};Sampled=0"
