"""What the functions behind the API have in common: whatever happens, an answer that says what it is."""

from collections.abc import Callable, Mapping

from lambdas.inference.http import HttpAnswer, HttpRequest
from lambdas.inference.ports import Log
from lambdas.inference.problems import Problem


def answered(
    answer: Callable[[], HttpAnswer], log: Log, request_id: str, headers: Mapping[str, str] | None = None
) -> HttpAnswer:
    """Return an answer, or the problem document of why there is none.

    Parameters
    ----------
    answer
        Returns the answer, or raises.
    log
        Told of an error that nobody foresaw.
    request_id
        By which the request is known.
    headers
        What a problem document has beside its own.
    """
    try:
        return answer()
    except Problem as problem:
        return HttpAnswer.problem(problem, request_id, headers)
    except Exception:
        log.exception("a request was not answered")
        failed = Problem("internal", f"the front door failed; it is logged as {request_id}; try again later")
        return HttpAnswer.problem(failed, request_id, headers)


def check_method(request: HttpRequest, allowed: str) -> None:
    """Raise the `Problem` of a resource that is asked for by another method than its own."""
    if request.method != allowed:
        detail = f"{request.resource} has no {request.method}; send {allowed}"
        raise Problem("method-not-allowed", detail, headers={"Allow": allowed})
