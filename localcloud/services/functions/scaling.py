"""Provisioned concurrency as Application Auto Scaling sees it."""

from localcloud.clock import Clock
from localcloud.physics.cloudwatch.samples import statistic
from localcloud.physics.cloudwatch.store import MetricKey, MetricStore
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.provisioning_service import ProvisioningService
from localcloud.services.functions.qualified import LATEST

_MINUTE = 60.0


class ProvisionedScaling:
    """Reads and changes provisioned concurrency; see `localcloud.physics.scalable.ScalableFleet`.

    Parameters
    ----------
    platform
        Keeps functions and their workers.
    metrics
        What they have counted.
    clock
        Tells the minutes.
    """

    def __init__(self, platform: FunctionPlatform, metrics: MetricStore, clock: Clock) -> None:
        self._platform = platform
        self._api = ProvisioningService(platform)
        self._metrics = metrics
        self._clock = clock

    def capacity(self, name: str, qualifier: str) -> int | None:
        """Return how many workers are asked for."""
        version = self._platform.find(f"{name}:{qualifier}")
        if version is None or version.version == LATEST:
            return None
        provision = self._platform.fleets[name].provisions.get(qualifier)
        return provision.requested if provision is not None else 0

    def set_capacity(self, name: str, qualifier: str, count: int) -> None:
        """Ask for another number of workers as any client would; none at all ends the configuration."""
        asked = {"FunctionName": name, "Qualifier": qualifier}
        if count:
            self._api.put_config({**asked, "ProvisionedConcurrentExecutions": count})
        else:
            self._api.delete_config(asked)

    def load(self, name: str, qualifier: str, minutes_ago: int) -> float | None:
        """Return the average utilisation of a whole minute."""
        end = (self._clock.now() // _MINUTE - minutes_ago) * _MINUTE
        dimensions = {"FunctionName": name, "Resource": f"{name}:{qualifier}"}
        key = MetricKey.of("AWS/Lambda", "ProvisionedConcurrencyUtilization", dimensions)
        return statistic(self._metrics.between(key, end - _MINUTE, end), "Average")
