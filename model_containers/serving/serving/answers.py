"""What goes back to a caller."""

from dataclasses import dataclass, field

import orjson

from . import problems
from .problems import ProblemError

JSON = "application/json"
UNAVAILABLE = 503


@dataclass(slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def problem_answer(problem: ProblemError) -> Answer:
    """Return a problem as an answer: problem details (RFC 9457)."""
    return Answer(problem.status, problems.CONTENT_TYPE, problem.body(), _headers(problem))


def v2_problem_answer(problem: ProblemError) -> Answer:
    """Return a problem as the Open Inference Protocol tells it."""
    body = orjson.dumps({"error": f"{problem.title}: {problem.detail}"})
    return Answer(problem.status, JSON, body, _headers(problem))


def _headers(problem: ProblemError) -> dict[str, str]:
    return {"retry-after": str(problem.retry_seconds)} if problem.status == UNAVAILABLE else {}
