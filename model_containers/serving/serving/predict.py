"""Requests for predictions, from the body to the answer: read, run in a batch, written.

In callbacks, not coroutines: a task for each request would cost a fifth of what a small request costs altogether.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

from . import headers
from .answers import UNAVAILABLE, Answer, problem_answer, v2_problem_answer
from .batching.ticket import Ticket
from .bodies.exchange import Exchange, Rows, Written
from .bodies.v2.protocol import Call
from .http1 import Reply, Request
from .lifecycle import Lifecycle, Phase
from .model import Model
from .observability.logs import LOGGER, request_fields
from .problems import ModelFailedError, ProblemError

if TYPE_CHECKING:
    from .observability.capture import Recorder

OK = 200
INLINE_BYTES, INLINE_ROWS = 65_536, 256
"""Larger bodies are read and written by other threads, so that the event loop, and with it /ping, need not wait."""

_SHOWN = 300  # characters of the model's own words

Fail = Callable[[ProblemError], Answer]


class Predictor:
    """Answers requests for predictions of one model.

    Parameters
    ----------
    loop
        The event loop, which calls everything here.
    model
        The model.
    lifecycle
        Says whether requests are taken, and is told of those that were.
    readers
        Reads and writes large bodies.
    recorder
        Captures requests to ``/invocations``; None when nothing is captured.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        model: Model,
        lifecycle: Lifecycle,
        readers: Executor,
        recorder: "Recorder | None" = None,
    ) -> None:
        self.loop = loop
        self.model = model
        self.lifecycle = lifecycle
        self.readers = readers
        self.recorder = recorder

    def invoke(self, request: Request, reply: Reply) -> None:
        """Answer a request to ``/invocations``."""
        given = headers.read(request.headers)
        kind, accept = given.get(headers.CONTENT_TYPE, ""), given.get(headers.ACCEPT, "")
        prediction = _Prediction(self, request, given, reply, problem_answer, self.recorder)
        prediction.begin(self.model.formats.exchange, kind, accept)

    def refused(self, problem: ProblemError) -> None:
        """Count a request whose body was not kept, so that it did not come to be read."""
        self.model.metrics.answered(problem.status, 0.0)
        if problem.status == UNAVAILABLE:
            self.model.metrics.shed("body_bytes")

    def infer(self, request: Request, reply: Reply) -> None:
        """Answer a request in the Open Inference Protocol.

        Raises
        ------
        ProblemError
            Status 404 or 405.
        """
        protocol = self.model.protocol
        call = protocol.route(request.method, request.path)
        if call is not Call.INFER:
            status, written = protocol.answer(call, ready=self.lifecycle.phase is Phase.READY)
            reply(Answer(status, written.content_type, written.body))
            return
        given = headers.read(request.headers)
        length = given.get(headers.TENSORS_FOLLOW)
        _Prediction(self, request, given, reply, v2_problem_answer).begin(protocol.exchange, length)


class _Prediction:
    """One request under way. Whatever happens, it ends in `_finish`, once."""

    __slots__ = ("_began", "_entered", "_exchange", "_fail", "_given", "_predictor", "_recorder", "_reply", "_request")

    def __init__(
        self,
        predictor: Predictor,
        request: Request,
        given: dict[str, str],
        reply: Reply,
        fail: Fail,
        recorder: "Recorder | None" = None,
    ) -> None:
        self._predictor = predictor
        self._recorder = recorder
        self._request = request
        self._given = given
        self._reply = reply
        self._fail = fail
        self._began = time.perf_counter()
        self._entered = False
        self._exchange: Exchange

    def begin(self, exchange: Callable[..., Exchange], *described: str | None) -> None:
        """Read the body in the exchange that the headers describe, and have its rows run."""
        try:
            self._exchange = exchange(*described)
            self._read()
        except Exception as error:
            self._failed(error)

    def _read(self) -> None:
        exchange, body = self._exchange, self._request.body
        encoding = self._given.get(headers.CONTENT_ENCODING, "identity")
        if encoding != "identity":
            detail = f"Content-Encoding is {encoding[:_SHOWN]}; send the body as it is"
            raise ProblemError(415, "unsupported encoding", detail)
        predictor = self._predictor
        predictor.lifecycle.enter()
        self._entered = True
        # It has a row at least: if even that comes too late, the body need not be read.
        predictor.model.batcher.check(1, self._began)
        if len(body) <= INLINE_BYTES:
            self._submit(exchange.read(body))
        else:
            self._aside(exchange.read, body, self._submit)

    def _submit(self, rows: Rows) -> None:
        self._predictor.model.batcher.submit(rows, self._began, self._settled, self._request.is_gone)

    def _settled(self, ticket: Ticket) -> None:
        try:
            outputs = ticket.outputs()
            if len(ticket.rows) <= INLINE_ROWS:
                self._answer(self._exchange.write(outputs))
            else:
                self._aside(self._exchange.write, outputs, self._answer)
        except Exception as error:
            self._failed(error)

    def _answer(self, written: Written) -> None:
        self._finish(Answer(OK, written.content_type, written.body, dict(written.headers)))

    def _aside(self, work: Callable[[Any], Any], argument: Any, then: Callable[[Any], None]) -> None:
        """Do work in another thread, and go on with its result in this one."""

        def go_on(done: "Future[Any]") -> None:
            try:
                then(done.result())
            except Exception as error:
                self._failed(error)

        future = self._predictor.readers.submit(work, argument)
        future.add_done_callback(lambda done: self._predictor.loop.call_soon_threadsafe(go_on, done))

    def _failed(self, error: Exception) -> None:
        """Answer with what went wrong."""
        problem = _problem_of(error)
        _log(problem, self._given)
        if not self._entered and problem.status == UNAVAILABLE:
            self._predictor.model.metrics.shed(self._predictor.lifecycle.phase.value)
        self._finish(self._fail(problem))

    def _finish(self, answer: Answer) -> None:
        if self._entered:
            self._predictor.lifecycle.leave()
        self._predictor.model.metrics.answered(answer.status, time.perf_counter() - self._began)
        for name in headers.ECHOED:
            if name in self._given:
                answer.headers[name] = self._given[name]
        self._reply(answer)
        if self._recorder is not None and answer.status == OK:
            kind = self._given.get(headers.CONTENT_TYPE, "")
            self._recorder.offer(kind, self._request.body, answer.content_type, answer.body, self._given)


def _problem_of(error: Exception) -> ProblemError:
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, ModelFailedError):
        problem = ProblemError(500, "model failed", str(error)[:_SHOWN])
    else:
        problem = ProblemError(500, "internal error", "see the container's log")
    problem.__cause__ = error
    return problem


def _log(problem: ProblemError, given: dict[str, str]) -> None:
    if problem.status != 500 and not LOGGER.isEnabledFor(logging.DEBUG):
        return
    extra = {"status": problem.status, "detail": problem.detail, **request_fields(given)}
    if problem.status != 500:
        LOGGER.debug(problem.title, extra=extra)
    elif isinstance(problem.__cause__, ModelFailedError):
        LOGGER.error(problem.title, extra=extra)
    else:
        LOGGER.error(problem.title, extra=extra, exc_info=problem.__cause__)
