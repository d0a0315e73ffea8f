"""The thread on which all caches' gates and servers run."""

import asyncio
import itertools
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from localcloud.services.caches.certificates import Certificates
from localcloud.services.caches.engine import Engine, check_access
from localcloud.services.caches.gate import Gate, Login
from localcloud.services.caches.records import User

_ANSWER_SECONDS = 60.0
Result = TypeVar("Result")
Users = list[User] | None


@dataclass(frozen=True)
class Served:
    """A cache that runs."""

    gate: Gate
    engine: Engine


class CacheHost:
    """Runs caches by name. Its methods block until what they do is done; servers die with its thread.

    Parameters
    ----------
    folder
        Where servers write.
    certificates
        What TLS is served with.
    """

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        self._folder = folder
        self._certificates = certificates
        self._served: dict[str, Served] = {}
        self._checks = itertools.count(1)
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self, name: str, login: Login, users: Users, memory_megabytes: int) -> int:
        """Start a cache; return the port that clients connect to once it serves."""
        return self._run(self._start(name, login, users, memory_megabytes))

    def stop(self, name: str) -> None:
        """End a cache and all connections to it."""
        self._run(self._stop(name))

    def check(self, user: User) -> None:
        """Raise `EngineError` if a user's access string is not understood."""
        # No cache has a name that begins with a dot.
        self._run(check_access(self._folder / f".check-{next(self._checks)}", user))

    def set_user(self, name: str, user: User) -> None:
        """Change what a user may do in a cache."""
        self._run(self._served[name].engine.set_user(user))

    def remove_user(self, name: str, user_id: str) -> None:
        """Let a user into a cache no more, and end its connections."""
        self._run(self._served[name].engine.remove_user(user_id))

    def kill(self, name: str) -> None:
        """Let a cache die: connections end, new ones are refused."""
        self._run(self._kill(self._served[name]))

    def revive(self, name: str, users: Users) -> None:
        """Start a cache that died, empty, where it was."""
        if name in self._served:
            self._run(self._revive(self._served[name], users))

    def freeze(self, name: str) -> None:
        """Let a cache hang: connections stay and can be made, and nothing answers."""
        self._served[name].engine.freeze()

    def thaw(self, name: str) -> None:
        """Let a cache that hangs go on."""
        if name in self._served:
            self._served[name].engine.thaw()

    def close(self) -> None:
        """End everything."""
        if self._loop is None or self._thread is None:
            return
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _start(self, name: str, login: Login, users: Users, memory_megabytes: int) -> int:
        gate = Gate(login, self._certificates.server_context(), lambda: engine.port)
        await gate.open()
        engine = Engine(self._folder / name, gate.port, memory_megabytes)
        self._served[name] = Served(gate, engine)
        try:
            await engine.start(users)
            await engine.settle()
        except BaseException:
            await self._stop(name)
            raise
        return gate.port

    async def _stop(self, name: str) -> None:
        served = self._served.pop(name, None)
        if served is not None:
            await self._kill(served)

    async def _end(self) -> None:
        """Stop all caches, and what is still being started."""
        for name in tuple(self._served):
            await self._stop(name)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _kill(self, served: Served) -> None:
        served.engine.stop()
        await served.gate.close()

    async def _revive(self, served: Served, users: Users) -> None:
        await served.engine.start(users)
        await served.engine.settle()
        await served.gate.open()

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._running_loop()).result(_ANSWER_SECONDS)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop, which runs from its first use on: a cloud without caches needs no thread for them."""
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="localcloud-caches", daemon=True)
                self._thread.start()
            return self._loop
