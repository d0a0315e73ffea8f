"""What is answered to whom: ``/ping``, ``/invocations``, ``/metrics``, the Open Inference Protocol under ``/v2``."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from . import headers
from .answers import Answer, problem_answer, problem_headers
from .http1 import Request
from .lifecycle import Lifecycle, Phase
from .observability.logs import LOGGER, request_fields
from .problems import ModelFailedError, ProblemError
from .settings import Settings

if TYPE_CHECKING:  # brings NumPy and ONNX Runtime, which take long to import; the socket answers before.
    from .bodies.exchange import Exchange
    from .model import Model

INLINE_BYTES, INLINE_ROWS = 65_536, 256
"""Larger bodies are read and written by other threads, so that the event loop, and with it /ping, need not wait."""

_READERS = 2
_SHOWN = 300  # characters of the model's own words

Route = Callable[[Request], Awaitable[Answer]]


class Application:
    """Answers requests, whichever server brings them.

    Parameters
    ----------
    settings
        How to serve.
    lifecycle
        Phase and requests in flight; shared with the server, which drains it.
    """

    def __init__(self, settings: Settings, lifecycle: Lifecycle) -> None:
        self.model: Model | None = None
        """The model, once it is loaded."""
        self._settings = settings
        self._lifecycle = lifecycle
        self._loop = asyncio.get_running_loop()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="bodies")
        self._routes: dict[str, tuple[str, Route]] = {
            "/invocations": ("POST", self._invoke),
            "/ping": ("GET", self._ping),
            "/metrics": ("GET", self._show_metrics),
        }

    async def answer(self, request: Request) -> Answer:
        """Answer one request."""
        try:
            return await self._route(request)(request)
        except ProblemError as problem:
            return (_v2_problem if request.path.startswith("/v2") else problem_answer)(problem)

    def _route(self, request: Request) -> Route:
        found = self._routes.get(request.path)
        if found is None and request.path.startswith("/v2"):
            return self._v2
        if found is None:
            known = ", ".join([*self._routes, "/v2"])
            raise ProblemError(404, "not found", f"there is no {request.path[:_SHOWN]}; there are {known}")
        method, route = found
        if request.method != method:
            raise ProblemError(405, "method not allowed", f"{request.path} takes {method}")
        return route

    async def _ping(self, _request: Request) -> Answer:
        phase, model = self._lifecycle.phase, self.model
        if phase is Phase.READY and model is not None and model.batcher.is_stuck(self._settings.stuck_seconds):
            return Answer(503, "text/plain", b"stuck")
        return Answer(200 if phase is Phase.READY else 503, "text/plain", phase.value.encode())

    async def _show_metrics(self, _request: Request) -> Answer:
        metrics = self._loaded().metrics
        return Answer(200, metrics.CONTENT_TYPE, metrics.render())

    async def _invoke(self, request: Request) -> Answer:
        given = headers.read(request.headers)

        def exchange(model: "Model") -> "Exchange":
            return model.formats.exchange(given.get(headers.CONTENT_TYPE, ""), given.get(headers.ACCEPT, ""))

        answer = await self._predict(request, given, exchange, problem_answer)
        for name in headers.ECHOED:
            if name in given:
                answer.headers[name] = given[name]
        return answer

    async def _v2(self, request: Request) -> Answer:
        """Answer what is asked in the Open Inference Protocol."""
        from .bodies.v2.protocol import Call

        protocol, given = self._loaded().protocol, headers.read(request.headers)
        call = protocol.route(request.method, request.path)
        if call is not Call.INFER:
            status, written = protocol.answer(call, ready=self._lifecycle.phase is Phase.READY)
            return Answer(status, written.content_type, written.body)
        length = given.get(headers.TENSORS_FOLLOW)
        return await self._predict(request, given, lambda _: protocol.exchange(length), _v2_problem)

    async def _predict(
        self,
        request: Request,
        given: dict[str, str],
        exchange: "Callable[[Model], Exchange]",
        fail: Callable[[ProblemError], Answer],
    ) -> Answer:
        began = time.perf_counter()
        try:
            model = self._loaded()
            answer = await self._infer(model, exchange(model), request, began)
        except ProblemError as problem:
            _log_refusal(problem, given)
            answer = fail(problem)
        if self.model is not None:
            self.model.metrics.answered(answer.status, time.perf_counter() - began)
        return answer

    async def _infer(self, model: "Model", exchange: "Exchange", request: Request, began: float) -> Answer:
        self._lifecycle.enter()
        try:
            is_small = len(request.body) <= INLINE_BYTES
            rows = exchange.read(request.body) if is_small else await self._aside(exchange.read, request.body)
            outputs = await model.batcher.submit(rows, began, request.is_gone)
            is_small = len(rows) <= INLINE_ROWS
            written = exchange.write(outputs) if is_small else await self._aside(exchange.write, outputs)
        except ProblemError:
            raise
        except ModelFailedError as error:
            raise ProblemError(500, "model failed", str(error)[:_SHOWN]) from error
        except Exception as error:
            raise ProblemError(500, "internal error", "see the container's log") from error
        finally:
            self._lifecycle.leave()
        return Answer(200, written.content_type, written.body, dict(written.headers))

    async def _aside(self, work: Callable[[Any], Any], argument: Any) -> Any:
        return await self._loop.run_in_executor(self._readers, work, argument)

    def _loaded(self) -> "Model":
        if self.model is None:
            raise self._lifecycle.refusal()
        return self.model


def _v2_problem(problem: ProblemError) -> Answer:
    from .bodies.v2.protocol import failure

    written = failure(problem)
    return Answer(problem.status, written.content_type, written.body, problem_headers(problem))


def _log_refusal(problem: ProblemError, given: dict[str, str]) -> None:
    if problem.status != 500 and not LOGGER.isEnabledFor(logging.DEBUG):
        return
    extra = {"status": problem.status, "detail": problem.detail, **request_fields(given)}
    if problem.status != 500:
        LOGGER.debug(problem.title, extra=extra)
    elif isinstance(problem.__cause__, ModelFailedError):
        LOGGER.error(problem.title, extra=extra)
    else:
        LOGGER.error(problem.title, extra=extra, exc_info=problem.__cause__)
