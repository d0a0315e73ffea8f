"""The HTTP server on loopback."""

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import WSGITask

from localcloud.front.calls import Environ
from localcloud.front.control import CONTROL_PATH, Control
from localcloud.front.dispatch import Dispatcher
from localcloud.front.http_answer import HttpAnswer
from localcloud.front.protocols import Answer

_THREADS = 96
_BODY_LIMIT = 2 * 1024**3

_SERVERS_OWN = ("connection", "transfer-encoding", "server", "date")
_HEADERS_KEY = "localcloud.headers"
_WITHOUT_BODY = (204, 304)

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Apis = Callable[[Mapping[str, Any], bytes], HttpAnswer | None]
"""Answers requests to APIs that users of the cloud made; None for all others."""


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Reads requests; of one that expects to be told to go on, and has nothing to send, no body is waited for."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the headers; boto3 sends such requests for empty objects, and waitress would wait for ever."""
        super().parse_header(header_plus)
        self.written_headers = _written(header_plus)
        if not self.content_length and not self.chunked:
            self.expect_continue = False


class _Task(WSGITask):  # type: ignore[misc]
    """Hands over the headers as they were written as well: WSGI joins those that come twice, and forgets their case."""

    def get_environment(self) -> Environ:
        """Return the environment of the request."""
        environ: Environ = super().get_environment()
        environ[_HEADERS_KEY] = self.request.written_headers
        return environ


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser
    task_class = _Task


class Front:
    """Serves AWS clients and the few control routes.

    Parameters
    ----------
    dispatcher
        Answers API calls.
    control
        Answers control routes.
    apis
        Answers requests to users' own APIs.
    port
        Port to listen on; 0 for a free one.
    """

    def __init__(self, dispatcher: Dispatcher, control: Control, apis: Apis, port: int = 0) -> None:
        self._dispatcher = dispatcher
        self._control = control
        self._apis = apis
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
        answered = self._apis(environ, body)
        if answered is not None:
            return _send_as_is(environ, answered, start_response)
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
    body = b"" if answer.status in _WITHOUT_BODY else answer.body
    headers.setdefault("content-length", str(len(body)))
    start_response(_status_line(answer.status), list(headers.items()))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _send_as_is(environ: Environ, answer: HttpAnswer, start_response: StartResponse) -> Iterable[bytes]:
    headers = list(answer.headers)
    if answer.status not in _WITHOUT_BODY:
        headers.append(("Content-Length", str(len(answer.body))))
    start_response(_status_line(answer.status), headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" or answer.status in _WITHOUT_BODY else [answer.body]


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Status"


def _written(head: bytes) -> list[tuple[str, str]]:
    """Return the headers of a request's head, without its first line."""
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:] if b":" in line)
    return [(name.decode("latin-1"), value.strip().decode("latin-1")) for name, _, value in pairs]
