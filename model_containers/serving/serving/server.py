"""The server's life: loads the model behind an open socket, serves, and drains on SIGTERM."""

import asyncio
import gc
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import uvloop

from .app import Application
from .budget import Budget
from .http1 import Connection, Front
from .lifecycle import Lifecycle
from .memory import keep_freed_memory
from .observability.logs import LOGGER, bind
from .settings import BACKLOG, Settings

if TYPE_CHECKING:
    from .model import Model, OpenSession
    from .observability.capture import Recorder
    from .observability.emf import Reporter
    from .predict import Predictor

KEEP_ALIVE_SECONDS = 75.0
"""SageMaker keeps its connections open for a minute; to close first would race with its next request."""

CLOSING_SECONDS = 2.0
"""What writing the last answers may take at least after the drain; more, if the drain has left more."""

READERS = 2
"""Threads that read and write large bodies."""

SWITCH_SECONDS = 0.0001
"""How long the device's thread waits at most for the interpreter while the event loop is busy; Python's 5 ms would
leave a fast model idle for longer than it computes."""


class Server:
    """Serves one model.

    Parameters
    ----------
    settings
        How to serve.
    open_session
        What runs the model, if not ONNX Runtime.
    """

    def __init__(self, settings: Settings, open_session: "OpenSession | None" = None) -> None:
        self._settings = settings
        self._open_session = open_session
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._exit_code = 0
        self._drained_by = 0.0
        self._reporter: Reporter | None = None
        self._recorder: Recorder | None = None
        self.lifecycle = Lifecycle()
        self.application = Application(settings, self.lifecycle)
        self._budget = Budget(settings.max_in_flight_bytes)
        self._front = Front(self.application.answer, self._budget, settings.max_body_bytes, KEEP_ALIVE_SECONDS)
        self._tasks: list[asyncio.Task[None]] = []

    async def serve(self, listener: socket.socket) -> int:
        """Serve until drained; return the exit status."""
        for name in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(name, self._on_signal, name)
        server = await self._loop.create_server(lambda: Connection(self._front), sock=listener, backlog=BACKLOG)
        self._begin(self._load())
        await self._stop.wait()
        last = _accepted(listener)
        server.close()
        for each in last:
            await self._loop.connect_accepted_socket(lambda: Connection(self._front), each)
        await self._front.close(max(self._drained_by - self._loop.time(), CLOSING_SECONDS))
        if self.application.predictor is not None:
            self.application.predictor.model.batcher.close()
        if self._recorder is not None:
            self._recorder.close()
        if self._reporter is not None:
            self._reporter.close()
        return self._exit_code

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(self._loop.create_task(work))

    def _on_signal(self, name: signal.Signals) -> None:
        """Begin to drain; a second Ctrl+C stops at once."""
        if not self.lifecycle.draining:
            self.lifecycle.drain()
            self._begin(self._drain())
        elif name == signal.SIGINT:
            self._stop.set()

    async def _drain(self) -> None:
        self._front.draining = True
        LOGGER.info("draining", extra={"in_flight": self.lifecycle.in_flight})
        # The sender learns of the drain from /ping and from 503s: the socket stays open for a moment.
        await asyncio.sleep(self._settings.lame_duck_seconds)
        self._drained_by = self._loop.time() + self._settings.drain_seconds
        with suppress(TimeoutError):
            await asyncio.wait_for(self.lifecycle.idle(), self._settings.drain_seconds)
        LOGGER.info("drained", extra={"abandoned": self.lifecycle.in_flight})
        self._stop.set()

    async def _load(self) -> None:
        began = time.perf_counter()
        try:
            model = await self._loaded()
        except Exception as error:  # whatever it was, a container that cannot answer must end
            LOGGER.exception("the model cannot be served", extra={"error": str(error)})
            self._exit_code = 1
            self._stop.set()
            return
        model.metrics.watch(
            queue_rows=lambda: model.batcher.rows,
            queue_bytes=lambda: self._budget.held,
            requests_in_flight=lambda: self.lifecycle.in_flight,
        )
        self.application.predictor = self._predictor(model)
        self._report(model)
        # What is there now stays: it need not be searched for garbage again and again.
        gc.collect()
        gc.freeze()
        self.lifecycle.ready()
        bind(model_digest=model.digest, model_version=self._settings.model_version)
        taken = round(time.perf_counter() - began, 3)
        LOGGER.info("ready", extra={"load_seconds": taken, "providers": model.providers})

    def _predictor(self, model: "Model") -> "Predictor":
        from .predict import Predictor

        readers = ThreadPoolExecutor(READERS, thread_name_prefix="bodies")
        self._recorder = self._capture(model)
        return Predictor(self._loop, model, self.lifecycle, readers, self._recorder)

    def _capture(self, model: "Model") -> "Recorder | None":
        """Begin to capture, if that is asked for; what cannot be redacted for sure is not captured, and served."""
        from .observability.capture import Recorder, UnknownColumnError

        settings = self._settings
        if not settings.capture_sampling_percent:
            return None
        version = "" if settings.model_version == Settings.model_version else settings.model_version
        about = {"variant": settings.capture_variant, "modelVersion": version}
        try:
            recorder = Recorder.of(
                settings.capture_sampling_percent,
                model.metrics,
                columns=model.columns,
                outputs=model.outputs,
                hidden=settings.capture_redacted_columns,
                largest_bytes=settings.capture_largest_bytes,
                about={name: value for name, value in about.items() if value},
            )
        except UnknownColumnError as error:
            LOGGER.error(f"nothing is captured: {error}")
            return None
        recorder.start()
        return recorder

    def _report(self, model: "Model") -> None:
        """Write metrics to the log as well, for under network isolation nobody can scrape them."""
        from .observability.emf import Reporter

        settings = self._settings
        if settings.metrics_log_seconds:
            properties = {"model_version": settings.model_version, "model_digest": model.digest}
            self._reporter = Reporter(
                model.metrics,
                dimensions=settings.metrics_dimensions,
                properties=properties,
                interval_seconds=settings.metrics_log_seconds,
            )
            self._reporter.start()

    async def _loaded(self) -> "Model":
        """Have the model loaded by the thread that will run it; no shutdown waits for that thread."""
        future: asyncio.Future[Model] = self._loop.create_future()
        load = partial(_load, self._loop, self._settings, self._open_session)
        threading.Thread(target=_be_the_device, args=(self._loop, future, load), name="device", daemon=True).start()
        return await future


def _accepted(listener: socket.socket) -> list[socket.socket]:
    """Stop listening, and return the connections that wait, to be told that it is over: the kernel would reset them."""
    accepted = []
    with suppress(BlockingIOError):
        while True:
            accepted.append(listener.accept()[0])
            accepted[-1].setblocking(False)
    # At once: the loop closes it a round later only, and whoever came meanwhile would be reset.
    listener.shutdown(socket.SHUT_RDWR)
    return accepted


def _be_the_device(
    loop: asyncio.AbstractEventLoop, loaded: "asyncio.Future[Model]", load: "Callable[[], Model]"
) -> None:
    try:
        model = load()
    except Exception as error:
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(loaded.set_exception, error)
        return
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(loaded.set_result, model)
        model.batcher.work()


def _load(loop: asyncio.AbstractEventLoop, settings: Settings, open_session: "OpenSession | None") -> "Model":
    # Imported by this thread, for that takes longer than a socket may stay unanswered.
    from .device import open_session as open_onnx
    from .model import load

    return load(loop, settings, open_session or open_onnx)


def run(settings: Settings, listener: socket.socket, open_session: "OpenSession | None" = None) -> int:
    """Serve on `listener` until told to stop; return the exit status."""
    sys.setswitchinterval(SWITCH_SECONDS)
    keep_freed_memory()

    async def serve() -> int:
        LOGGER.info("listening", extra={"port": listener.getsockname()[1]})
        return await Server(settings, open_session).serve(listener)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve())
