"""The real world's ports for the monitor."""

import time
from typing import Any

from lambdas.monitoring.adapters.cloudwatch import CloudWatchMetrics
from lambdas.monitoring.adapters.dynamodb import DynamoRecords
from lambdas.monitoring.adapters.events import EventBridge
from lambdas.monitoring.adapters.executions import StepFunctions
from lambdas.monitoring.adapters.jobs import ProcessingJobs
from lambdas.monitoring.adapters.s3 import S3Files
from lambdas.monitoring.adapters.ssm import SsmSettings
from lambdas.monitoring.adapters.versions import RecordedVersions
from lambdas.monitoring.ports import Ports
from lambdas.rollout.handlers.wiring import PowertoolsLog

_MARGIN_SECONDS = 5.0
_MILLISECONDS = 1000.0


class InvocationClock:
    """Implements `lambdas.monitoring.ports.Clock` for one invocation.

    Parameters
    ----------
    seconds
        How long the invocation may still take.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds - _MARGIN_SECONDS

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time()

    def left(self) -> float:
        """Return how many seconds this invocation has left for its work."""
        return self._ends - time.monotonic()


def time_of(context: Any) -> float:
    """Return how many seconds Lambda gives an invocation from now on."""
    return float(context.get_remaining_time_in_millis()) / _MILLISECONDS


def real_ports(seconds: float) -> Ports:
    """Return the ports to AWS for an invocation of that length. No client is made before it is used."""
    return Ports(
        files=S3Files(),
        records=DynamoRecords(),
        jobs=ProcessingJobs(),
        executions=StepFunctions(),
        versions=RecordedVersions(),
        metrics=CloudWatchMetrics(),
        events=EventBridge(),
        settings=SsmSettings(),
        clock=InvocationClock(seconds),
        log=PowertoolsLog(),
    )
