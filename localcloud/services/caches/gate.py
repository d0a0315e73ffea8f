"""What clients of a cache meet: TLS, and IAM in place of passwords; behind it lies the server."""

import asyncio
import contextlib
import logging
import secrets
import ssl
from collections.abc import Callable

from localcloud.services.caches.records import HOST
from localcloud.services.caches.resp import Command, ProtocolError, encoded, read_command

_log = logging.getLogger(__name__)
_CHUNK = 256 * 1024
_LAST_SECONDS = 2.0
_CLUSTER_READS = frozenset(
    (b"COUNTKEYSINSLOT", b"GETKEYSINSLOT", b"HELP", b"INFO", b"KEYSLOT", b"MYID", b"NODES", b"SHARDS", b"SLOTS")
)

Login = Callable[[str, str], str]
"""Takes a user and its token; returns the server's password of the user, or raises `LoginError`."""


class LoginError(Exception):
    """A user is not let in."""


class Gate:
    """Listens for clients of one cache and relays what they say to its server.

    Parameters
    ----------
    login
        Decides who is let in; called on a thread of its own.
    context
        What TLS is served with.
    server_port
        Returns the server's port.
    """

    def __init__(self, login: Login, context: ssl.SSLContext, server_port: Callable[[], int]) -> None:
        self.port = 0
        self._login = login
        self._context = context
        self._server_port = server_port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to listen; on the same port when that is done again."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End all connections and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # asyncio makes one for each connection
        self._connections.add(task)
        try:
            await self._relay(reader, writer)
            await _finish(writer)
        except asyncio.CancelledError:
            pass  # the gate closes
        except (OSError, ProtocolError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            _log.debug("a connection to a cache ended: %r", error)
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay both ways until either side ends."""
        from_server, to_server = await asyncio.open_connection(HOST, self._server_port())
        ways = [
            asyncio.create_task(self._commands(reader, to_server)),
            asyncio.create_task(_answers(from_server, writer)),
        ]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_server.close()

    async def _commands(self, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        while True:
            command = await read_command(reader)
            if command:
                to_server.write(encoded(await self._as_the_server_takes_it(command)))
                await to_server.drain()

    async def _as_the_server_takes_it(self, command: Command) -> Command:
        """Return a command with the server's password in place of a token.

        Answers come from the server alone, so that they keep their order: what is refused here is put so that the
        server refuses it.
        """
        name = command[0].upper()
        if name == b"AUTH" and len(command) == 3:
            return [command[0], command[1], await self._password(*command[1:])]
        if name == b"HELLO":
            return await self._greeting(command)
        if name == b"CLUSTER" and len(command) > 1 and command[1].upper() not in _CLUSTER_READS:
            return [command[0], command[1] + b"(restricted)"]
        return command

    async def _greeting(self, command: Command) -> Command:
        """Return HELLO, which may say AUTH <user> <token>."""
        at = next((index for index, word in enumerate(command) if word.upper() == b"AUTH"), len(command))
        if len(command) < at + 3:
            return command
        return [*command[: at + 2], await self._password(command[at + 1], command[at + 2]), *command[at + 3 :]]

    async def _password(self, user: bytes, token: bytes) -> bytes:
        """Return the server's password of a user that may come in, else one that is nobody's."""
        try:
            password = await asyncio.to_thread(self._login, user.decode(), token.decode())
        except (LoginError, UnicodeDecodeError) as error:
            # Clients are told no more than WRONGPASS, as on AWS; whoever runs the cloud wants to know why.
            _log.warning("user %r is not let into a cache: %s", user, error)
            password = secrets.token_hex(16)
        return password.encode()


async def _answers(from_server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await from_server.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()


async def _finish(writer: asyncio.StreamWriter) -> None:
    """Send the last answers; a client that does not read them must not keep the connection open."""
    writer.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), _LAST_SECONDS)
