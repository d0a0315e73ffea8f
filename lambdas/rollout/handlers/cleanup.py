"""Behind `Custom::CleanUp`: removes what an endpoint leaves behind, once it is gone.

Calls: dynamodb GetItem, Query, TransactWriteItems (PutItem), DeleteItem; sagemaker DescribeEndpoint,
DescribeEndpointConfig, DeleteEndpointConfig, DeleteModel; application-autoscaling DeregisterScalableTarget.
"""

from typing import Any

from lambdas.rollout.adapters.autoscaling import ApplicationAutoscaling
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.adapters.sagemaker import SageMakerEndpoints
from lambdas.rollout.cleaner import Cleaner
from lambdas.rollout.handlers.custom_resource import Answer, Request, UnfinishedError, answer
from lambdas.rollout.handlers.wiring import logger

_POLL = 5.0


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer CloudFormation."""
    name = event["ResourceProperties"]["EndpointName"]
    cleaner = Cleaner(DynamoStore(), SageMakerEndpoints(), ApplicationAutoscaling())
    answer(event, context, f"cleanup-{name}", lambda request: act(request, cleaner))


def act(request: Request, cleaner: Cleaner) -> Answer:
    """Remember what the template makes; remove everything when the resource is deleted."""
    name = request.properties["EndpointName"]
    identity = str(request.physical_id or f"cleanup-{name}")
    logger.thread_safe_append_keys(endpoint=name)
    if request.kind != "Delete":
        cleaner.remember(name, request.properties)
        return Answer(f"cleanup-{name}")
    if cleaner.stays(name):
        logger.warning(f"{name} is still there, so that what it may need is left alone")
        return Answer(identity)
    if not request.wait_until(lambda: cleaner.is_gone(name), _POLL):
        raise UnfinishedError(f"{name} is still being deleted; delete the stack again")
    cleaner.clean(name)
    return Answer(identity)
