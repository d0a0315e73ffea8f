"""What goes back to a caller."""

from dataclasses import dataclass, field

from . import problems
from .problems import ProblemError

RETRY, TOO_LARGE = 503, 413


@dataclass(slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def problem_answer(problem: ProblemError) -> Answer:
    """Return a problem as an answer."""
    return Answer(problem.status, problems.CONTENT_TYPE, problem.body(), problem_headers(problem))


def problem_headers(problem: ProblemError) -> dict[str, str]:
    """Return the headers that go with a problem, whatever form its body has."""
    headers = {"retry-after": str(problem.retry_seconds)} if problem.status == RETRY else {}
    if problem.status in (TOO_LARGE, RETRY):
        # The next request may find another server, and what is left of a body need not be read.
        headers["connection"] = "close"
    return headers
