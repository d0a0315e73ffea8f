"""Arithmetic over requests: phases, latencies, and failures with the question whose they are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import BenchError
from tidegate.demo.measure import percentile
from tidegate.demo.observations import MODEL_ERROR, MODEL_FAILED, Request


@dataclass(frozen=True)
class Phase:
    """A stretch of the run, in epoch seconds.

    Parameters
    ----------
    name
        What went on.
    since, until
        When.
    """

    name: str
    since: float
    until: float

    @property
    def seconds(self) -> float:
        """Return how long it took."""
        return self.until - self.since

    def of(self, requests: Sequence[Request]) -> list[Request]:
        """Return those requests that were due in it."""
        return [each for each in requests if self.since <= each.due < self.until]


@dataclass(frozen=True)
class Latency:
    """Milliseconds from the instant when requests were due to their answers."""

    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.p50:.1f} / {self.p99:.1f}"


def latency(requests: Sequence[Request]) -> Latency:
    """Return the latency of requests, those that failed among them; raise `BenchError` where there are none."""
    return of_values([each.latency_ms for each in requests])


def of_values(values: Sequence[float]) -> Latency:
    """Return the percentiles of latencies in milliseconds."""
    p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
    if p50 is None or p99 is None:
        raise BenchError("no request was sent where latencies are wanted; let the run take longer")
    return Latency(p50, p99)


def phases(marks: Sequence[tuple[float, str]], until: float) -> list[Phase]:
    """Return phases from the moments at which they began; those that took no time are left out."""
    ordered = sorted(marks)
    ends = [at for at, _ in ordered[1:]] + [until]
    found = [Phase(name, since, end) for (since, name), end in zip(ordered, ends, strict=True)]
    return [each for each in found if each.seconds > 0]


def of_the_model(request: Request) -> bool:
    """Return whether a failure is the model's own: its container answered that the model failed."""
    return request.failure == MODEL_ERROR and request.model_status == MODEL_FAILED


def unexplained(requests: Sequence[Request], bad: Sequence[Phase]) -> list[Request]:
    """Return the failures that no bad version's model produced.

    Parameters
    ----------
    requests
        All of them.
    bad
        When the bad version had a share of the traffic; a failure at another time is nobody's but ours.
    """
    failed = [each for each in requests if each.failure]
    return [each for each in failed if not (of_the_model(each) and _asked_within(each, bad))]


def _asked_within(request: Request, times: Sequence[Phase]) -> bool:
    return any(request.done >= each.since and request.sent <= each.until for each in times)


def answered(requests: Sequence[Request]) -> float:
    """Return the share of requests that were answered."""
    return sum(not each.failure for each in requests) / len(requests) if requests else 0.0


def listed(requests: Sequence[Request], most: int = 8) -> list[str]:
    """Return failures in words, those that are alike together."""
    alike = Counter((each.failure, each.status, _without_id(each.detail)) for each in requests)
    return [
        f"{count} x {failure} (status {status}): {detail}"
        for (failure, status, detail), count in alike.most_common(most)
    ]


def _without_id(detail: str) -> str:
    return detail.partition(" (urn:")[0]
