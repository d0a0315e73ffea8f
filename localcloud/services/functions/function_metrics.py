"""What Lambda counts, in the namespace AWS/Lambda: by function, and by what was asked for."""

import time

from localcloud.services.functions.invocation import Invocation, Outcome
from localcloud.services.functions.log_shipper import MetricSink
from localcloud.services.functions.provision import Provision
from localcloud.services.functions.qualified import Qualified

_NAMESPACE = "AWS/Lambda"


class FunctionMetrics:
    """Counts invocations.

    Parameters
    ----------
    put
        Takes the metrics.
    """

    def __init__(self, put: MetricSink) -> None:
        self._put = put

    def ended(self, asked: Qualified, invocation: Invocation, outcome: Outcome) -> None:
        """Count an invocation that has ended."""
        self._count(asked, "Throttles", 0)
        self._count(asked, "Invocations", 1)
        self._count(asked, "Errors", 1 if outcome.error else 0)
        self._count(asked, "Duration", (invocation.ended_at - invocation.started_at) * 1000, "Milliseconds")

    def throttled(self, asked: Qualified) -> None:
        """Count an invocation that was refused."""
        self._count(asked, "Throttles", 1)

    def provisioned(self, name: str, qualifier: str, served: bool, provision: Provision) -> None:
        """Count an invocation that met provisioned concurrency, whether a worker was free for it or not."""
        resource = {"FunctionName": name, "Resource": f"{name}:{qualifier}"}
        counted = "ProvisionedConcurrencyInvocations" if served else "ProvisionedConcurrencySpilloverInvocations"
        self._one(counted, resource, 1)
        self._one("ProvisionedConcurrentExecutions", resource, provision.in_use)
        self._one("ProvisionedConcurrencyUtilization", resource, provision.utilisation if served else 1.0)

    def _count(self, asked: Qualified, metric: str, value: float, unit: str = "Count") -> None:
        self._one(metric, {"FunctionName": asked.name}, value, unit)
        self._one(metric, {"FunctionName": asked.name, "Resource": asked.text}, value, unit)

    def _one(self, metric: str, dimensions: dict[str, str], value: float, unit: str = "Count") -> None:
        self._put(_NAMESPACE, metric, dimensions, value, unit, time.time())
