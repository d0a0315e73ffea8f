"""The metrics of asynchronous endpoints; the real-time ones (Invocations, OverheadLatency) are not published for them.

The names are those of SageMaker's guide, "Alarms and logs for tracking metrics from asynchronous endpoints", which
writes one of them InvocationsProcesssed; it is taken for a misprint.
"""

from localcloud.clock import Clock, Timer
from localcloud.physics.async_settings import is_asynchronous
from localcloud.physics.cloudwatch import MetricStore
from localcloud.physics.hosting import Hosting
from localcloud.physics.invocation_metrics import NAMESPACE
from localcloud.physics.records import SERVING, Endpoint


class AsyncMetrics:
    """Samples of single requests, by endpoint and variant."""

    def __init__(self, clock: Clock, store: MetricStore) -> None:
        self._clock = clock
        self._store = store

    def count(self, endpoint: str, variant: str, **counts: int) -> None:
        """Put counts, by the metrics' names."""
        for name, value in counts.items():
            self._put(endpoint, variant, name, float(value), "Count")

    def took(self, endpoint: str, variant: str, **seconds: float) -> None:
        """Put durations in microseconds, by the metrics' names."""
        for name, value in seconds.items():
            self._put(endpoint, variant, name, float(max(round(value * 1e6), 0)), "Microseconds")

    def answered(self, endpoint: str, variant: str, status: int, seconds: float) -> None:
        """Put what is published of an answer at a real-time endpoint too."""
        for name, wrong in (("4XX", 400 <= status < 500), ("5XX", status >= 500)):
            self._put(endpoint, variant, f"Invocation{name}Errors", float(wrong), "None")
        self.took(endpoint, variant, ModelLatency=seconds)

    def ended(self, endpoint: str, variant: str, seconds: float, *, failed: bool) -> None:
        """Put the end of a request that was received `seconds` ago."""
        self.count(endpoint, variant, InvocationsProcessed=1, InvocationFailures=int(failed))
        self._put(endpoint, variant, "TotalProcessingTime", float(round(seconds * 1000)), "Milliseconds")

    def _put(self, endpoint: str, variant: str, name: str, value: float, unit: str) -> None:
        dimensions = {"EndpointName": endpoint, "VariantName": variant}
        self._store.put(NAMESPACE, name, dimensions, value, unit, self._clock.now())


class BacklogMetrics:
    """Publishes the state of the queues, again and again, at each period's end and for the period that ends."""

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting
        self._period = hosting.settings.scaling_period_seconds
        self._due = (hosting.clock.now() // self._period + 1) * self._period
        self._timer: Timer = self._wait()

    def close(self) -> None:
        """Publish nothing more."""
        self._timer.cancel()

    def _wait(self) -> Timer:
        return self._hosting.clock.call_later(self._due - self._hosting.clock.now(), self._publish)

    def _publish(self) -> None:
        now = self._hosting.clock.now()
        started = self._ended(now)
        self._timer = self._wait()
        with self._hosting.lock:
            served = [each for each in self._hosting.endpoints.values() if each.status in SERVING]
            found = {each.name: _state(each, now) for each in served if is_asynchronous(each.config.request)}
        for endpoint, metrics in found.items():
            for name, value in metrics.items():
                unit = "Seconds" if name == "ApproximateAgeOfOldestRequest" else "Count"
                for at in started:
                    self._hosting.metrics.put(NAMESPACE, name, {"EndpointName": endpoint}, value, unit, at)

    def _ended(self, now: float) -> list[float]:
        """Return when the periods began that have ended: more than one where the machine was too busy to look."""
        started: list[float] = []
        while not started or self._due <= now:
            started.append(self._due - self._period)
            self._due += self._period
        return started


def _state(endpoint: Endpoint, now: float) -> dict[str, float]:
    """Return the metrics of a queue.

    That ApproximateBacklogSizePerInstance exists without instances follows from the guide ("Autoscale an asynchronous
    endpoint"): target tracking on it scales up from zero once the requests exceed its value. What it is divided by is
    inferred.
    """
    size, oldest = endpoint.backlog.size(), endpoint.backlog.oldest()
    instances = len(endpoint.instances())
    return {
        "ApproximateBacklogSize": float(size),
        "ApproximateBacklogSizePerInstance": size / max(instances, 1),
        "ApproximateAgeOfOldestRequest": now - oldest if oldest is not None else 0.0,
        "HasBacklogWithoutCapacity": float(size > 0 and instances == 0),
    }
