"""The metrics that SageMaker publishes of every invocation."""

from dataclasses import dataclass

from localcloud.clock import Clock
from localcloud.physics.cloudwatch import MetricStore
from localcloud.physics.routing import Route

NAMESPACE = "AWS/SageMaker"


@dataclass(frozen=True)
class Invocation:
    """How one invocation went."""

    seconds: float
    """From the request's arrival to its answer."""
    model_seconds: float | None
    """Of these, in the container; None if it was not reached."""
    client_error: bool = False
    server_error: bool = False
    failed: bool = False
    """Whether it did not end with the container's 2xx."""


class InvocationMetrics:
    """Puts an invocation's samples on its variant's series, at the period that the endpoint publishes at."""

    def __init__(self, clock: Clock, store: MetricStore) -> None:
        self._clock = clock
        self._store = store

    def record(self, route: Route, invocation: Invocation) -> None:
        """Put the samples: counts as 0 or 1, so that Sum is a count and Average a rate; latencies in microseconds."""
        samples = {
            "Invocations": (1.0, "None"),
            "Invocation4XXErrors": (float(invocation.client_error), "None"),
            "Invocation5XXErrors": (float(invocation.server_error), "None"),
            "InvocationModelErrors": (float(invocation.failed), "None"),
        }
        model_seconds = invocation.model_seconds or 0.0
        if invocation.model_seconds is not None:
            samples["ModelLatency"] = (_microseconds(model_seconds), "Microseconds")
        samples["OverheadLatency"] = (_microseconds(invocation.seconds - model_seconds), "Microseconds")
        at = self._clock.now() // route.metrics_period * route.metrics_period
        dimensions = {"EndpointName": route.endpoint, "VariantName": route.variant}
        for name, (value, unit) in samples.items():
            self._store.put(NAMESPACE, name, dimensions, value, unit, at)


def _microseconds(seconds: float) -> float:
    return float(max(round(seconds * 1e6), 0))
