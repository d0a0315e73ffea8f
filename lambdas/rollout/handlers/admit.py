"""Takes approvals in, from SageMaker's model package events through SQS.

Calls: sagemaker DescribeModelPackage; ssm GetParameter; kms Verify with the endpoint's signing key; s3 GetObject on the
artefacts (also for HeadObject); dynamodb GetItem, Query, TransactWriteItems (PutItem); sqs SendMessage to the timer
queue; and consumes its own queue.
"""

from typing import Any

from lambdas.rollout.admission import Said
from lambdas.rollout.approvals import Approvals
from lambdas.rollout.handlers.batch import each_message
from lambdas.rollout.handlers.times import epoch
from lambdas.rollout.handlers.wiring import begin, logger, real_ports


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Consider the packages of a batch of events."""
    begin(context)
    approvals = Approvals(real_ports())
    return each_message(event, lambda message: _consider(approvals, message))


def _consider(approvals: Approvals, event: dict[str, Any]) -> None:
    detail = event["detail"]
    name, arn = detail.get("ModelPackageGroupName"), detail["ModelPackageArn"]
    logger.thread_safe_append_keys(endpoint=name)
    if not name:
        logger.info(f"{arn} is in no group, so that it is for no endpoint")
        return
    approvals.consider(name, arn, Said(detail.get("ModelApprovalStatus", ""), epoch(event["time"])))
