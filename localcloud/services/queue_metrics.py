"""The metrics that SQS publishes of every queue."""

from localcloud.clock import Clock
from localcloud.services.functions.log_shipper import MetricSink
from localcloud.services.queues import Queues

PERIOD_SECONDS = 10.0


class QueueMetrics:
    """Publishes numbers of messages, again and again.

    Parameters
    ----------
    queues
        What is counted.
    clock
        Times it.
    metrics
        Takes the metrics of the namespace AWS/SQS.
    """

    def __init__(self, queues: Queues, clock: Clock, metrics: MetricSink) -> None:
        self._queues = queues
        self._clock = clock
        self._metrics = metrics
        self._timer = clock.call_later(PERIOD_SECONDS, self._publish)

    def close(self) -> None:
        """Publish nothing more."""
        self._timer.cancel()

    def _publish(self) -> None:
        self._timer = self._clock.call_later(PERIOD_SECONDS, self._publish)
        now = self._clock.now()
        for name in self._queues.names():
            for metric, value in self._queues.counts(name).items():
                self._metrics("AWS/SQS", metric, {"QueueName": name}, float(value), "Count", now)
