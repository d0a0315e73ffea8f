"""Kept-alive HTTP connections to one container."""

import http.client
import threading

from localcloud.physics.ports import Answer, ContainerTimeoutError, ContainerUnreachableError, Headers

# What a server's closing of an idle connection looks like to the next request on it.
_STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class ConnectionPool:
    """Connections to one port on loopback, reused most recent first.

    `http.client` sets TCP_NODELAY itself, without which a small request waits for the peer's delayed acknowledgement.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []

    def post(self, path: str, body: bytes, headers: Headers, timeout: float) -> Answer:
        """Send one request and return status, lower-case headers and body.

        Raises
        ------
        ContainerTimeoutError, ContainerUnreachableError
        """
        reused = self._take()
        if reused is not None:
            try:
                return self._exchange(reused, path, body, headers, timeout)
            except _STALE:
                reused.close()
            except (TimeoutError, OSError, http.client.HTTPException) as error:
                raise _translate(reused, error) from error
        fresh = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout)
        try:
            return self._exchange(fresh, path, body, headers, timeout)
        except (TimeoutError, OSError, http.client.HTTPException) as error:
            raise _translate(fresh, error) from error

    def get(self, path: str, timeout: float) -> Answer:
        """Ask on a connection of its own; raises as `post` does."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        except (TimeoutError, OSError, http.client.HTTPException) as error:
            raise _translate(connection, error) from error
        finally:
            connection.close()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> http.client.HTTPConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _exchange(
        self, connection: http.client.HTTPConnection, path: str, body: bytes, headers: Headers, timeout: float
    ) -> Answer:
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answer = (response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        if response.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return answer


def _translate(connection: http.client.HTTPConnection, error: Exception) -> Exception:
    connection.close()
    if isinstance(error, TimeoutError):
        return ContainerTimeoutError("no answer in time")
    return ContainerUnreachableError(f"{type(error).__name__}: {error}")


def get_status(port: int, path: str, timeout: float) -> int | None:
    """Return the status that a GET on a connection of its own answers with, or None without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
