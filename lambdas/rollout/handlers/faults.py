"""What a person must put right, in the log and as a metric that an alarm can watch.

The metric is written into the log, in CloudWatch's embedded format, so that it needs no permission of its own.
"""

import os
from collections.abc import Sequence

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from lambdas import contract
from lambdas.rollout.handlers.wiring import logger
from lambdas.rollout.sweeper import Fault


class CountedFaults:
    """Implements the ports ``Faults`` of retraining, of batches, and of what follows the live version."""

    def report(self, endpoint: str, reason: str) -> None:
        """Log a fault and count it."""
        report([Fault(endpoint, reason)])


def report(faults: Sequence[Fault]) -> None:
    """Log every fault and count them, also when there is none."""
    for fault in faults:
        logger.thread_safe_append_keys(endpoint=fault.endpoint)
        logger.error(fault.reason)
    metric = single_metric(
        name=contract.FAULTS_METRIC, unit=MetricUnit.Count, value=len(faults), namespace=contract.METRIC_NAMESPACE
    )
    with metric as counted:
        counted.add_dimension(contract.METRIC_DIMENSION, os.environ[contract.ENV_ENVIRONMENT])
