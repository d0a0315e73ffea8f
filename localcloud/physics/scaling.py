"""Variants as Application Auto Scaling sees them."""

from localcloud.physics.async_settings import is_asynchronous
from localcloud.physics.cloudwatch.samples import statistic
from localcloud.physics.cloudwatch.store import MetricKey
from localcloud.physics.hosting import Hosting
from localcloud.physics.lifecycle import Lifecycle

_MINUTE = 60.0


class VariantScaling:
    """Reads and changes the capacity of variants; see `localcloud.physics.scalable.ScalableFleet`."""

    def __init__(self, hosting: Hosting, lifecycle: Lifecycle) -> None:
        self._hosting = hosting
        self._lifecycle = lifecycle

    def capacity(self, endpoint: str, variant: str) -> int | None:
        """Return the desired instance count."""
        with self._hosting.lock:
            found = self._hosting.endpoints.get(endpoint)
            if found is None or variant not in found.variants:
                return None
            return found.variants[variant].desired_count

    def set_capacity(self, endpoint: str, variant: str, count: int) -> None:
        """Change the desired instance count as any client would; only an asynchronous variant can do with none."""
        count = max(count, self._least(endpoint))
        if count == self.capacity(endpoint, variant):
            return
        wanted = {"VariantName": variant, "DesiredInstanceCount": count}
        self._lifecycle.change_weights({"EndpointName": endpoint, "DesiredWeightsAndCapacities": [wanted]})

    def load(self, endpoint: str, variant: str, minutes_ago: int) -> float | None:
        """Return the invocations of a whole minute, per instance that runs now."""
        instances = self.capacity(endpoint, variant)
        end = (self._hosting.clock.now() // _MINUTE - minutes_ago) * _MINUTE
        key = MetricKey.of("AWS/SageMaker", "Invocations", {"EndpointName": endpoint, "VariantName": variant})
        total = statistic(self._hosting.metrics.between(key, end - _MINUTE, end), "Sum")
        return total / instances if total is not None and instances else None

    def _least(self, endpoint: str) -> int:
        with self._hosting.lock:
            found = self._hosting.endpoints.get(endpoint)
            return 0 if found is not None and is_asynchronous(found.config.request) else 1
