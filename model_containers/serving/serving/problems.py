"""Answers other than success, as problem details (RFC 9457)."""

import math
from typing import Any

import orjson

CONTENT_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A request that is answered with a problem.

    Parameters
    ----------
    status
        HTTP status.
    title
        The kind of problem.
    detail
        What is wrong with this request, and the way out.
    errors
        For refused input: one entry for each offending cell, with ``row``, ``column`` and ``reason``.
    retry_after
        For 503: after how many seconds it is worth trying again.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        errors: list[dict[str, Any]] | None = None,
        retry_after: float = 1.0,
    ) -> None:
        super().__init__(f"{title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors or []
        self.retry_seconds = max(math.ceil(retry_after), 1)

    def body(self) -> bytes:
        """Return the problem as JSON."""
        fields: dict[str, Any] = {"title": self.title, "status": self.status, "detail": self.detail}
        if self.errors:
            fields["errors"] = self.errors
        return orjson.dumps(fields)


class ModelFailedError(Exception):
    """The model raised an error on input that its signature allows: ours to answer for, so a 500."""


def malformed(detail: str) -> ProblemError:
    """Return the problem of a body that cannot be read as what it says it is."""
    return ProblemError(400, "malformed body", detail)


def refused(errors: list[dict[str, Any]], total: int) -> ProblemError:
    """Return the problem of input that the model's signature does not allow.

    Parameters
    ----------
    errors
        The first offending cells.
    total
        How many there are in all.
    """
    first = errors[0]
    more = f" (and {total - 1} more)" if total > 1 else ""
    where = f"row {first['row']}, column '{first['column']}'"
    return ProblemError(400, "input refused", f"{where}: {first['reason']}{more}", errors)


def too_many_rows(limit: int) -> ProblemError:
    """Return the problem of a body with more than `limit` rows."""
    way_out = f"send batches of at most {limit}, or use batch transform with BatchStrategy SingleRecord"
    return ProblemError(413, "too many rows", f"the body holds more than {limit} rows (TIDEGATE_MAX_ROWS); {way_out}")


def unavailable(detail: str, retry_after: float = 1.0) -> ProblemError:
    """Return the problem of a server that takes no request now, and may in `retry_after` seconds."""
    return ProblemError(503, "not available", detail, retry_after=retry_after)
