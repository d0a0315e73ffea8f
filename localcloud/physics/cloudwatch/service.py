"""CloudWatch as one service."""

from localcloud.clock import Clock
from localcloud.physics.cloudwatch.alarm_operations import AlarmOperations
from localcloud.physics.cloudwatch.metric_operations import MetricOperations
from localcloud.physics.cloudwatch.store import MetricStore
from localcloud.physics.cloudwatch.watch import AlarmWatch
from localcloud.physics.ports import AlarmActionSink, EventSink
from localcloud.physics.settings import PhysicsSettings
from localcloud.service import Service


class CloudWatchService(MetricOperations, AlarmOperations, Service):
    """Metrics and alarms; it evaluates by itself as long as there are alarms.

    Parameters
    ----------
    clock, store
        Time and the samples.
    account, region
        For ARNs and messages.
    emit
        EventBridge: every transition is an event.
    act
        Carries out alarm actions.
    settings
        For how long after its end a period is evaluated.
    """

    name = "cloudwatch"

    def __init__(
        self,
        clock: Clock,
        store: MetricStore,
        *,
        account: str,
        region: str,
        emit: EventSink,
        act: AlarmActionSink,
        settings: PhysicsSettings | None = None,
    ) -> None:
        delay = (settings or PhysicsSettings()).metric_delay_seconds
        watch = AlarmWatch(clock, store, delay, account, region, emit, act)
        MetricOperations.__init__(self, clock, store)
        AlarmOperations.__init__(self, clock, watch, account, region)

    def stop(self) -> None:
        """Evaluate no more."""
        self._watch.stop()
