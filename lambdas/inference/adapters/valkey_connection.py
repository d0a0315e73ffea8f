"""The connection to an ElastiCache Serverless cache for Valkey.

Serverless caches are in cluster mode and speak TLS only, but all slots are surfaced as one virtual node's behind one
address, so that a plain client meets no redirection as long as each command has one key, as those here do
(docs.aws.amazon.com/AmazonElastiCache/latest/dg/WorkingWithRedis.html, and the pages about Serverless beside it). The
port for reads, which may lag behind, is left alone: an answer that was just kept is to be found.

The library's connection is used without its client: that has a pool, retries and redirections, none of which is wanted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from lambdas.inference.adapters.valkey_token import ConnectToken
from lambdas.inference.settings import Valkey
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import RetryableError

_CONNECT, _ANSWER = 0.3, 0.15
"""Seconds for each step of connecting, which is seldom, and for an answer: whoever waits for a prediction waits too."""

LONGEST_SECONDS = 11 * 3600.0
"""ElastiCache ends a connection after 12 hours that was begun with a token
(docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html)."""

LONGEST_IDLE_SECONDS = 300.0
"""The endpoint in a VPC forgets a connection that has been idle for 350 seconds
(docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html), and a write to it then waits in vain."""


class Wire(Protocol):
    """What is used of the library's connection."""

    def connect(self) -> None:
        """Begin the connection."""

    def send_command(self, *words: Any) -> None:
        """Send a command."""

    def read_response(self) -> Any:
        """Return the answer, or raise it."""

    def disconnect(self) -> None:
        """End the connection."""


class KeptConnection:
    """One connection, made when it is first needed, and anew when it is old, idle or broken.

    Parameters
    ----------
    connect
        Returns a connection that is open.
    now
        Seconds on a clock that never goes back, and sees the time that a function is frozen.
    """

    def __init__(self, connect: Callable[[], Wire], now: Callable[[], float]) -> None:
        self._connect = connect
        self._now = now
        self._wire: Wire | None = None
        self._opened_at = self._used_at = 0.0

    def open(self) -> None:
        """Connect, unless there is a connection."""
        with failures():
            self._current()

    def ask(self, *command: Any) -> Any:
        """Return the answer to a command; one whose kept connection has ended meanwhile is sent once more.

        Raises
        ------
        RetryableError
            When there is no answer in time, or the server refuses.
        """
        from valkey.exceptions import ConnectionError as ConnectionEndedError

        with failures():
            kept = self._wire
            wire = self._current()
            try:
                return self._exchange(wire, command)
            except ConnectionEndedError:
                if wire is not kept:
                    raise
            return self._exchange(self._current(), command)

    def _current(self) -> Wire:
        now = self._now()
        if self._wire is not None and self._is_stale(now):
            self._drop()
        if self._wire is None:
            self._wire = self._connect()
            self._opened_at = self._used_at = now
        return self._wire

    def _is_stale(self, now: float) -> bool:
        return now - self._opened_at > LONGEST_SECONDS or now - self._used_at > LONGEST_IDLE_SECONDS

    def _exchange(self, wire: Wire, command: tuple[Any, ...]) -> Any:
        from valkey.exceptions import ResponseError

        try:
            wire.send_command(*command)
            answer = wire.read_response()
        except ResponseError:
            raise  # the server has answered
        except BaseException:
            # Its answer may still come, and would be taken for that to the next question.
            self._drop()
            raise
        self._used_at = self._now()
        return answer

    def _drop(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.disconnect()


def connect(place: Valkey) -> Wire:
    """Return an open connection, in the name of the function's role.

    The certificate is checked against those that this machine trusts, and against the host's name.
    """
    import valkey  # costs a start what only those shall pay whose answers are kept there

    make: Any = valkey.SSLConnection
    connection: Wire = make(
        host=place.host,
        port=place.port,
        ssl_cert_reqs="required",
        ssl_check_hostname=True,
        socket_connect_timeout=_CONNECT,
        socket_timeout=_CONNECT,
        socket_keepalive=True,
        credential_provider=ConnectToken(place.name, place.user),
        lib_name=None,  # telling the server the library's name would take two round trips
        lib_version=None,
        valkey_connect_func=_begin,
    )
    connection.connect()
    return connection


def _begin(connection: Any) -> None:
    connection.on_connect()
    connection._sock.settimeout(_ANSWER)


@contextmanager
def failures() -> Iterator[None]:
    """Raise what the library and botocore raise as one of the engine's errors."""
    from valkey.exceptions import ValkeyError

    try:
        with translated():
            yield
    except ValkeyError as error:
        raise RetryableError(f"{type(error).__name__}: {error}") from error
