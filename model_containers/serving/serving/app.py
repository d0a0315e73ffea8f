"""SageMaker's contract over HTTP, as a raw ASGI application: ``/ping``, ``/invocations``, and ``/metrics``."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from . import formats, headers, metrics
from .asgi import Answer, CallerGoneError, Receive, Send, problem_answer, read_body, send_answer
from .budget import Budget
from .lifecycle import Lifecycle, Phase
from .logs import LOGGER
from .problems import ModelFailedError, ProblemError
from .settings import Settings

if TYPE_CHECKING:  # onnxruntime takes long to import; the socket answers before.
    from .model import Model

Scope = dict[str, Any]
Route = Callable[[Scope, Receive], Awaitable[Answer]]


class Application:
    """The ASGI application.

    Parameters
    ----------
    settings
        How to serve.
    lifecycle
        Phase and requests in flight; shared with the server, which drains it.
    """

    def __init__(self, settings: Settings, lifecycle: Lifecycle) -> None:
        self.model: Model | None = None
        self._settings = settings
        self._lifecycle = lifecycle
        self._metrics = metrics.Metrics()
        self._budget = Budget(settings.max_in_flight_bytes)
        # Inference has threads of its own, so that /ping answers whatever the model is at.
        self._threads = ThreadPoolExecutor(settings.workers, thread_name_prefix="inference")
        self._routes: dict[str, tuple[str, Route]] = {
            "/ping": ("GET", self._ping),
            "/invocations": ("POST", self._invoke),
            "/metrics": ("GET", self._show_metrics),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._answer(scope, receive)
        except CallerGoneError:
            return
        await send_answer(send, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        try:
            return await self._route(scope)(scope, receive)
        except ProblemError as problem:
            return problem_answer(problem)

    def _route(self, scope: Scope) -> Route:
        if scope["path"] not in self._routes:
            raise ProblemError(404, "not found", f"there is no {scope['path']}; there are {', '.join(self._routes)}")
        method, route = self._routes[scope["path"]]
        if scope["method"] != method:
            raise ProblemError(405, "method not allowed", f"{scope['path']} takes {method}")
        return route

    async def _ping(self, _scope: Scope, _receive: Receive) -> Answer:
        phase = self._lifecycle.phase
        return Answer(200 if phase is Phase.READY else 503, "text/plain", phase.value.encode())

    async def _show_metrics(self, _scope: Scope, _receive: Receive) -> Answer:
        return Answer(200, metrics.CONTENT_TYPE, self._metrics.render(self._lifecycle.in_flight).encode())

    async def _invoke(self, scope: Scope, receive: Receive) -> Answer:
        given = headers.read(scope["headers"])
        began = time.perf_counter()
        try:
            with self._lifecycle.request():
                answer = await self._infer(given, receive)
        except ProblemError as problem:
            answer = problem_answer(problem)
            _log_refusal(problem, given)
        self._metrics.record(answer.status, time.perf_counter() - began)
        answer.headers.update({name: given[name] for name in headers.ECHOED if name in given})
        return answer

    async def _infer(self, given: dict[str, str], receive: Receive) -> Answer:
        decode = formats.decoder(given.get(headers.CONTENT_TYPE, ""))
        media, encode = formats.encoder(given.get(headers.ACCEPT, ""))
        loop = asyncio.get_running_loop()
        with self._budget.share() as share:
            body = await read_body(receive, self._settings.max_body_bytes, share)
            return Answer(200, media, await loop.run_in_executor(self._threads, self._predict, body, decode, encode))

    def _predict(self, body: bytes, decode: formats.Decoder, encode: formats.Encoder) -> bytes:
        model = self.model
        if model is None:
            raise RuntimeError("ready without a model")
        try:
            rows = model.guard.admit(decode(body, model.signature, self._settings.max_rows))
            return encode(model.output_names, model.predict(rows))
        except ProblemError:
            raise
        except ModelFailedError as error:
            raise ProblemError(500, "model failed", str(error)[:300]) from error
        except Exception as error:
            raise ProblemError(500, "internal error", "see the container's log") from error


def _log_refusal(problem: ProblemError, given: dict[str, str]) -> None:
    extra = {"status": problem.status, "detail": problem.detail, "id": given.get(headers.INFERENCE_ID, "")}
    if problem.status != 500:
        LOGGER.debug(problem.title, extra=extra)
    elif isinstance(problem.__cause__, ModelFailedError):
        LOGGER.error(problem.title, extra=extra)
    else:
        LOGGER.error(problem.title, extra=extra, exc_info=problem.__cause__)
