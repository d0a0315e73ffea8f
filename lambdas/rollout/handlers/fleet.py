"""Behind `Custom::Fleet`: hands the declared fleet to the engine, and takes the endpoint out of its hands in the end.

Calls: dynamodb GetItem, TransactWriteItems (PutItem); sagemaker DescribeEndpoint; application-autoscaling
DeregisterScalableTarget; sqs SendMessage to the timer queue.
"""

import hashlib
import json
from typing import Any

from lambdas.rollout.errors import LeaseHeldError
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.fleets import Fleets
from lambdas.rollout.handlers.custom_resource import Answer, Request, UnfinishedError, answer
from lambdas.rollout.handlers.wiring import logger, real_ports

_LEASE_POLL, _BUSY_POLL = 1.0, 5.0


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer CloudFormation."""
    name = event["ResourceProperties"]["EndpointName"]
    made = identity(name, event["StackId"], event["LogicalResourceId"])
    answer(event, context, made, lambda request: act(request, Fleets(real_ports())))


def act(request: Request, fleets: Fleets) -> Answer:
    """Submit the fleet, or retire the endpoint if no other resource declares its fleet."""
    name = request.properties["EndpointName"]
    logger.thread_safe_append_keys(endpoint=name)
    if request.kind == "Delete":
        if fleets.disown(name, str(request.physical_id)):
            _retire(request, fleets, name)
        return Answer(str(request.physical_id))
    fleets.submit(name, Fleet.from_dict(json.loads(request.properties["Fleet"])), request.identity)
    return Answer(request.identity)


def identity(name: str, stack: str, logical_id: str) -> str:
    """Return a physical id that only this resource has.

    A resource that is moved to another logical id is created there before it is deleted here, and that deletion must
    not be taken for the end of the endpoint.
    """
    return f"fleet-{name}-{hashlib.sha256(f'{stack} {logical_id}'.encode()).hexdigest()[:8]}"


def _retire(request: Request, fleets: Fleets, name: str) -> None:
    if not request.wait_until(lambda: _try_to_retire(fleets, name, request.owner), _LEASE_POLL):
        raise UnfinishedError(f"{name} is still being worked on; delete the stack again")
    # CloudFormation deletes the endpoint next, which SageMaker refuses while it is being changed.
    if not request.wait_until(lambda: not fleets.is_busy(name), _BUSY_POLL):
        raise UnfinishedError(f"{name} is still being updated; delete the stack again once it is InService")


def _try_to_retire(fleets: Fleets, name: str, owner: str) -> bool:
    try:
        fleets.retire(name, owner)
    except LeaseHeldError:
        return False
    return True
