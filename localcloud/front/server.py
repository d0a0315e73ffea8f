"""The HTTP server on loopback."""

import logging
import threading
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server

from localcloud.front.calls import Environ
from localcloud.front.control import CONTROL_PATH, Control
from localcloud.front.dispatch import Dispatcher
from localcloud.front.protocols import Answer

_THREADS = 96
_BODY_LIMIT = 2 * 1024**3

_SERVERS_OWN = ("connection", "transfer-encoding", "server", "date")

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Reads requests; of one that expects to be told to go on, and has nothing to send, no body is waited for."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the headers; boto3 sends such requests for empty objects, and waitress would wait for ever."""
        super().parse_header(header_plus)
        if not self.content_length and not self.chunked:
            self.expect_continue = False


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser


class Front:
    """Serves AWS clients and the few control routes.

    Parameters
    ----------
    dispatcher
        Answers API calls.
    control
        Answers control routes.
    port
        Port to listen on; 0 for a free one.
    """

    def __init__(self, dispatcher: Dispatcher, control: Control, port: int = 0) -> None:
        self._dispatcher = dispatcher
        self._control = control
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._server = create_server(
            self._application,
            host="127.0.0.1",
            port=port,
            threads=_THREADS,
            connection_limit=2000,
            channel_timeout=300,
            max_request_body_size=_BODY_LIMIT,
            inbuf_overflow=32 * 1024**2,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=False,
            ident="localcloud",
        )
        self._server.channel_class = _Channel
        self.url = f"http://127.0.0.1:{self._server.effective_port}"
        self._thread = threading.Thread(target=self._run, name="localcloud-front", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; requests under way lose their connection."""
        self._server.task_dispatcher.shutdown(timeout=1)
        # Closed on the server's own thread: its loop must not meet half-closed sockets.
        self._server.trigger.pull_trigger(self._close_all)
        self._thread.join(3)

    def _run(self) -> None:
        self._server.run()

    def _close_all(self) -> None:
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()
        self._server.close()
        self._server._map.clear()

    def _application(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        if environ["PATH_INFO"].startswith(CONTROL_PATH):
            answer = self._control.answer(environ, body)
        else:
            answer = self._dispatcher.answer(environ, body)
        return _send(environ, answer, start_response)


def _send(environ: Environ, answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    request_id = str(uuid.uuid4())
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in _SERVERS_OWN}
    headers.setdefault("x-amzn-requestid", request_id)
    headers.setdefault("x-amz-request-id", request_id)
    # moto sets a length for answers to HEAD: the object's, which must stay.
    headers.setdefault("content-length", str(len(answer.body)))
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Status"
    start_response(f"{answer.status} {phrase}", list(headers.items()))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]
