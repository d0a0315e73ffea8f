"""Runs the application on uvicorn: loads the model behind an open socket, drains on SIGTERM."""

import asyncio
import signal
import socket
import time
from contextlib import suppress
from types import FrameType

import uvicorn

from .app import Application
from .lifecycle import Lifecycle
from .logs import LOGGER
from .settings import Settings

# SageMaker keeps its connections open for a minute; to close first would race with its next request.
KEEP_ALIVE_SECONDS = 75
# What uvicorn may take to close connections after the drain.
CLOSING_SECONDS = 2


class Server(uvicorn.Server):
    """uvicorn, with SIGTERM meaning: refuse what is new, answer what was accepted, then stop."""

    def __init__(self, settings: Settings) -> None:
        self.lifecycle = Lifecycle(settings.max_in_flight)
        self.application = Application(settings, self.lifecycle)
        self.exit_code = 0
        self._settings = settings
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        super().__init__(_config(self.application))

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until drained."""
        self._loop = asyncio.get_running_loop()
        self._tasks.append(self._loop.create_task(self._load()))
        await super().serve(sockets)

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Begin to drain; a second Ctrl+C stops at once."""
        if self._loop is None or (sig == signal.SIGINT and self.lifecycle.draining):
            self.should_exit = True
        elif not self.lifecycle.draining:
            self.lifecycle.drain()
            self._loop.call_soon_threadsafe(self._start_drain)

    def _start_drain(self) -> None:
        self._tasks.append(asyncio.ensure_future(self._drain()))

    async def _drain(self) -> None:
        LOGGER.info("draining", extra={"in_flight": self.lifecycle.in_flight})
        # The sender learns of the drain from /ping and from 503s: the socket stays open for a moment.
        await asyncio.sleep(self._settings.lame_duck_seconds)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.lifecycle.idle(), self._settings.drain_seconds)
        LOGGER.info("drained", extra={"abandoned": self.lifecycle.in_flight})
        self.should_exit = True

    async def _load(self) -> None:
        began = time.perf_counter()
        try:
            await asyncio.to_thread(self._load_model)
        except Exception as error:  # whatever it was, a container that cannot answer must end
            LOGGER.exception("the model cannot be served", extra={"error": str(error)})
            self.exit_code = 1
            self.should_exit = True
            return
        self.lifecycle.ready()
        LOGGER.info("ready", extra={"load_seconds": round(time.perf_counter() - began, 3)})

    def _load_model(self) -> None:
        # Imported here, in the loading thread: it takes longer than a socket may stay unanswered.
        from .model import Model

        self.application.model = model = Model.load(self._settings)
        LOGGER.info("model loaded", extra={"providers": model.providers, "model_dir": str(self._settings.model_dir)})


def run(settings: Settings, listener: socket.socket) -> int:
    """Serve on `listener` until told to stop; return the exit status."""
    server = Server(settings)
    LOGGER.info("listening", extra={"port": listener.getsockname()[1]})
    server.run([listener])
    return server.exit_code


def _config(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=CLOSING_SECONDS,
    )
