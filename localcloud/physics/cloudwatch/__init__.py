"""CloudWatch: metrics with exact samples, metric math, and alarms that are evaluated."""

from localcloud.physics.cloudwatch.service import CloudWatchService
from localcloud.physics.cloudwatch.store import MetricStore

__all__ = ["CloudWatchService", "MetricStore"]
