"""The last few seconds of a run, for the display."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tidegate.demo.measure import percentile
from tidegate.demo.observations import Observations, Request

SECONDS = 5.0


@dataclass
class Recent:
    """What one variant answered lately."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / SECONDS

    @property
    def p50(self) -> float:
        """Median latency in milliseconds."""
        return percentile(self.latencies, 0.5) or 0.0

    @property
    def p99(self) -> float:
        """99th percentile of the latency in milliseconds."""
        return percentile(self.latencies, 0.99) or 0.0

    def add(self, request: Request) -> None:
        """Count a request."""
        self.latencies.append(request.latency_ms)
        self.failed += bool(request.failure)


def recent(requests: Sequence[Request], now: float) -> dict[str, Recent]:
    """Return what each variant answered in the last seconds; looks at no more of the list than it must."""
    found: dict[str, Recent] = defaultdict(Recent)
    for index in range(len(requests) - 1, -1, -1):
        request = requests[index]
        if request.done <= now - SECONDS:
            break
        found[request.variant].add(request)
    return dict(found)


def overall(variants: dict[str, Recent]) -> Recent:
    """Return all variants taken together."""
    together = Recent()
    for variant in variants.values():
        together.latencies += variant.latencies
        together.failed += variant.failed
    return together


def failures(seen: Observations) -> int:
    """Return how many requests have failed so far."""
    return sum(1 for request in list(seen.requests) if request.failure)
