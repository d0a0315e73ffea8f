"""What a front door answers instead of a prediction, as problem documents (RFC 9457)."""

from collections.abc import Iterable, Mapping
from typing import Any

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tidegate:problem:"
INSTANCE_PREFIX = "urn:tidegate:prediction:"
REQUEST_PREFIX = "urn:tidegate:request:"
"""Of what API Gateway refuses before there is a prediction; its own id of the request follows."""

SHOWN_ERRORS = 10
"""So many single errors are named; the detail counts the rest."""

KINDS: Mapping[str, tuple[int, str]] = {
    "invalid-json": (400, "The body is not JSON"),
    "invalid-header": (400, "A header cannot be used"),
    "invalid-request": (400, "The request cannot be used"),
    "unauthorized": (401, "It is not known who calls"),
    "forbidden": (403, "The caller may not do this"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "The resource has no such method"),
    "conflict": (409, "The idempotency key was used for another request"),
    "too-large": (413, "The request, or its answer, is too large"),
    "unsupported-media-type": (415, "The body's format is not read"),
    "invalid-input": (422, "The model does not take this input"),
    "throttled": (429, "Too many requests"),
    "internal": (500, "The front door failed"),
    "model-failed": (502, "The model failed"),
    "busy": (503, "The model has more to do than it can"),
    "unavailable": (503, "Not available at present"),
    "timeout": (504, "The model took too long"),
}
"""Status and title by slug."""

_CALLERS_FAULT = range(400, 500)
_NOT_THE_CALLERS = frozenset({408, 429})


class Problem(Exception):
    """A request that is answered with a problem document.

    Parameters
    ----------
    slug
        The kind of problem, of `KINDS`.
    detail
        What is wrong with this request, and the way out.
    errors
        Single errors, for input that the model does not take: `row` (from 1), `column`, `value` and `detail`.
    headers
        Headers that the answer has beside the usual ones, such as `Retry-After`.
    """

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{slug}: {detail}")
        self.slug = slug
        self.status, self.title = KINDS[slug]
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def document(self, prediction_id: str | None = None) -> dict[str, Any]:
        """Return the document; `prediction_id` is what the request is known by in logs and in the audit."""
        document: dict[str, Any] = {
            "type": f"{TYPE_PREFIX}{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if prediction_id:
            document["instance"] = f"{INSTANCE_PREFIX}{prediction_id}"
        if self.errors:
            document["errors"] = [dict(each) for each in self.errors]
        return document


def is_callers_fault(problem: Problem) -> bool:
    """Return whether the same request would be refused again."""
    return problem.status in _CALLERS_FAULT and problem.status not in _NOT_THE_CALLERS
