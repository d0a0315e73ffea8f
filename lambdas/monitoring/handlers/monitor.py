"""Looks at an endpoint's traffic once a window, whatever runs were lost before.

It is invoked with ``{"endpoint": "<name of the SageMaker endpoint>"}``.

Calls: ssm GetParameter; s3 ListBucket and GetObject of captures, labels, baselines, and what it has written itself;
s3 PutObject below ``monitoring/``; dynamodb GetItem on the rollout table, and GetItem, PutItem, Query on its own;
sagemaker DescribeModelPackage, DescribeProcessingJob, CreateProcessingJob (and AddTags) with iam PassRole of the job's
role; states DescribeExecution, StartExecution, ListMapRuns, ListExecutions; cloudwatch PutMetricData; events PutEvents.
"""

from typing import Any

from lambdas.monitoring.errors import PermanentError
from lambdas.monitoring.handlers.wiring import real_ports, time_of
from lambdas.monitoring.monitor import Monitor
from lambdas.monitoring.report import page
from lambdas.rollout.handlers.faults import report
from lambdas.rollout.handlers.wiring import begin_long
from lambdas.rollout.sweeper import Fault


def handler(event: dict[str, Any], context: Any) -> None:
    """Look at one endpoint.

    What a person must put right is logged and counted as a fault, upon which an alarm tells them. What may go well the
    next time fails the invocation, and is tried again.
    """
    begin_long(context)
    endpoint = str(event["endpoint"])
    try:
        Monitor(real_ports(time_of(context)), page).run(endpoint)
    except PermanentError as error:
        report([Fault(endpoint, str(error))])
    else:
        report([])
