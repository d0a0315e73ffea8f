"""Numbers over requests: percentiles, counts, and one-second series."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from tidegate.demo.observations import Request
from tidegate.demo.timeline import VersionTimeline

SERIES_SECONDS = 1.0


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least `share` of the values do not exceed; None of nothing."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[max(math.ceil(share * len(ranked)) - 1, 0)]


def rounded(value: float | None, digits: int = 1) -> float | None:
    """Round what may be missing."""
    return None if value is None else round(value, digits)


def latency(requests: Iterable[Request]) -> dict[str, float | None]:
    """Return median and tail of the latency in milliseconds."""
    values = [request.latency_ms for request in requests]
    return {"p50_ms": rounded(percentile(values, 0.5)), "p99_ms": rounded(percentile(values, 0.99))}


def totals(requests: Sequence[Request]) -> dict[str, Any]:
    """Return counts, latency and the share of right answers of some requests."""
    judged = [request.right for request in requests if request.right is not None]
    failed = [request for request in requests if request.failure]
    return {
        "requests": len(requests),
        "answered": len(requests) - len(failed),
        "failed": len(failed),
        "failed_on_purpose": sum(1 for request in failed if request.on_purpose),
        "failed_by_kind": dict(Counter(request.failure for request in failed)),
        **latency(requests),
        "right_share": rounded(sum(judged) / len(judged), 4) if judged else None,
    }


def by_version(requests: Iterable[Request], timeline: VersionTimeline) -> dict[str, list[Request]]:
    """Sort requests by the version that answered them."""
    found: dict[str, list[Request]] = defaultdict(list)
    for request in requests:
        found[timeline.of(request)].append(request)
    return dict(sorted(found.items()))


def series(requests: Iterable[Request], started: float) -> list[dict[str, Any]]:
    """Return what each second's requests (by the instant they were due) came to."""
    seconds: dict[int, list[Request]] = defaultdict(list)
    for request in requests:
        seconds[int((request.due - started) // SERIES_SECONDS)].append(request)
    return [_second(index * SERIES_SECONDS, seconds[index]) for index in sorted(seconds)]


def _second(at: float, requests: Sequence[Request]) -> dict[str, Any]:
    failed = sum(1 for request in requests if request.failure)
    return {"t": at, "requests": len(requests), "failed": failed, **latency(requests)}
