"""A few counters in Prometheus' text format, for ``GET /metrics``."""

from bisect import bisect_left
from collections import Counter

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
CONTENT_TYPE = "text/plain; version=0.0.4"


class Metrics:
    """What has been answered so far. Touched by the event loop only."""

    def __init__(self) -> None:
        self._statuses: Counter[int] = Counter()
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0

    def record(self, status: int, seconds: float) -> None:
        """Count one answer of ``/invocations``."""
        self._statuses[status] += 1
        self._buckets[bisect_left(BUCKETS, seconds)] += 1
        self._seconds += seconds

    def render(self, in_flight: int) -> str:
        """Return the exposition."""
        lines = ["# TYPE tidegate_requests_total counter"]
        lines += [f'tidegate_requests_total{{status="{code}"}} {count}' for code, count in self._statuses.items()]
        lines += ["# TYPE tidegate_requests_in_flight gauge", f"tidegate_requests_in_flight {in_flight}"]
        return "\n".join(lines + self._histogram()) + "\n"

    def _histogram(self) -> list[str]:
        name = "tidegate_request_seconds"
        lines, total = [f"# TYPE {name} histogram"], 0
        for edge, count in zip([*map(str, BUCKETS), "+Inf"], self._buckets, strict=True):
            total += count
            lines.append(f'{name}_bucket{{le="{edge}"}} {total}')
        return [*lines, f"{name}_sum {self._seconds:.6f}", f"{name}_count {total}"]
