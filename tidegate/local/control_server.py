"""The local cloud's side of `tidegate.local.control`: takes orders over loopback HTTP."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tidegate.local.control import TOKEN_HEADER

POLL_SECONDS = 0.1

log = logging.getLogger(__name__)

Report = Callable[[dict[str, Any]], None]
Order = Callable[[Mapping[str, Any], Report], dict[str, Any]]
"""Carries out an order: given its body and what takes progress, returns the result."""


class ControlServer:
    """Answers orders, each on a thread of its own; a context.

    Parameters
    ----------
    orders
        What carries out each order, by its name.
    token
        What a request must carry.
    """

    def __init__(self, orders: Mapping[str, Order], token: str) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(orders, token))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(POLL_SECONDS,), name="control", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> ControlServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(orders: Mapping[str, Order], token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            order = orders.get(self.path.strip("/"))
            if not hmac.compare_digest(self.headers.get(TOKEN_HEADER, ""), token):
                self.send_error(403, "wrong token")
            elif order is None:
                self.send_error(404, "no such order")
            else:
                self._carry_out(order)

        def _carry_out(self, order: Order) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}")
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.end_headers()
            try:
                self._say({"kind": "done", "result": order(body, self._say)})
            except Exception as error:  # the caller is told whatever went wrong
                log.exception("order %s failed", self.path.strip("/"))
                self._say({"kind": "failed", "text": f"{type(error).__name__}: {error}"})

        def _say(self, message: dict[str, Any]) -> None:
            self.wfile.write(json.dumps(message, default=str).encode() + b"\n")
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:
            """Orders are not logged; what they do is."""

    return Handler
