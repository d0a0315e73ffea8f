"""What is answered to whom: ``/ping``, ``/invocations``, ``/metrics``, the Open Inference Protocol under ``/v2``."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .answers import Answer, problem_answer, v2_problem_answer
from .http1 import Reply, Request
from .lifecycle import Lifecycle, Phase
from .problems import ProblemError
from .settings import Settings

if TYPE_CHECKING:  # brings NumPy and ONNX Runtime, which take long to import; the socket answers before.
    from .predict import Predictor

INVOCATIONS, V2 = "/invocations", "/v2"
_SHOWN = 100  # characters of a path, in an error

Route = Callable[[Request, Reply], None]


class Application:
    """Answers requests: each by one call of the reply that comes with it, at once or when the model has run.

    Parameters
    ----------
    settings
        How to serve.
    lifecycle
        Phase and requests in flight; shared with the server, which drains it.
    """

    def __init__(self, settings: Settings, lifecycle: Lifecycle) -> None:
        self.predictor: Predictor | None = None
        """Answers requests for predictions, once the model is loaded."""
        self._stuck_seconds = settings.stuck_seconds
        self._lifecycle = lifecycle
        self._routes: dict[str, tuple[str, Route]] = {
            INVOCATIONS: ("POST", lambda request, reply: self._loaded().invoke(request, reply)),
            "/ping": ("GET", self._ping),
            "/metrics": ("GET", self._show_metrics),
        }

    def answer(self, request: Request, reply: Reply) -> None:
        """Answer one request."""
        try:
            if request.problem is not None:
                self._count(request, request.problem)
                raise request.problem
            self._route(request)(request, reply)
        except ProblemError as problem:
            reply((v2_problem_answer if request.path.startswith(V2) else problem_answer)(problem))

    def _route(self, request: Request) -> Route:
        found = self._routes.get(request.path)
        if found is None and request.path.startswith(V2):
            return self._loaded().infer
        if found is None:
            known = ", ".join([*self._routes, V2])
            raise ProblemError(404, "not found", f"there is no {request.path[:_SHOWN]}; there are {known}")
        method, route = found
        if request.method != method:
            raise ProblemError(405, "method not allowed", f"{request.path} takes {method}")
        return route

    def _count(self, request: Request, problem: ProblemError) -> None:
        if request.path == INVOCATIONS and self.predictor is not None:
            self.predictor.refused(problem)

    def _ping(self, _request: Request, reply: Reply) -> None:
        phase, predictor = self._lifecycle.phase, self.predictor
        if phase is Phase.READY and predictor is not None and predictor.model.batcher.is_stuck(self._stuck_seconds):
            reply(Answer(503, "text/plain", b"stuck"))
        else:
            reply(Answer(200 if phase is Phase.READY else 503, "text/plain", phase.value.encode()))

    def _show_metrics(self, _request: Request, reply: Reply) -> None:
        metrics = self._loaded().model.metrics
        reply(Answer(200, metrics.CONTENT_TYPE, metrics.render()))

    def _loaded(self) -> "Predictor":
        if self.predictor is None:
            raise self._lifecycle.refusal()
        return self.predictor
