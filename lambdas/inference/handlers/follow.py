"""Keeps the endpoint that answers an endpoint's jobs on its live version: looked at when an endpoint has changed, and
each minute. Behind `Custom::JobsEndpoint` it takes that endpoint away with its stack.

Calls: dynamodb GetItem and PutItem of the front doors' table, GetItem of the rollout table; sagemaker DescribeEndpoint,
DescribeEndpointConfig, DescribeModel, CreateEndpoint, UpdateEndpoint, DeleteEndpoint, CreateEndpointConfig,
DeleteEndpointConfig, CreateModel, DeleteModel, AddTags, and UpdateEndpointWeightsAndCapacities for its scaling; iam
PassRole; s3 ListBucket and GetObject of the endpoint's own artefacts; application-autoscaling RegisterScalableTarget,
DeregisterScalableTarget, PutScalingPolicy; cloudwatch PutMetricAlarm, DeleteAlarms.
"""

import os
from typing import Any

from lambdas.contract import ENV_ARTEFACT_BUCKET, ENV_JOBS_TOPIC_ARN
from lambdas.inference.following.adapters.sagemaker import RecordedLive, SageMakerEndpoints
from lambdas.inference.following.adapters.scaling import ApplicationAutoscaling
from lambdas.inference.following.adapters.table import DynamoStandings
from lambdas.inference.following.follower import Follower
from lambdas.inference.following.ports import Ports
from lambdas.inference.following.retiring import Retiring
from lambdas.inference.following.wanted import Plan
from lambdas.inference.settings import Asynchronous, Jobs, front_door
from lambdas.rollout.adapters.clients import time_limit
from lambdas.rollout.adapters.trust import KmsTrust
from lambdas.rollout.errors import ConflictError, RetryableError, TidegateError, in_words
from lambdas.rollout.handlers.custom_resource import Answer, Request, UnfinishedError, answer
from lambdas.rollout.handlers.faults import CountedFaults
from lambdas.rollout.handlers.wiring import PowertoolsLog, SystemClock, begin_long, logger

LAST_CALL_SECONDS = 48.0
"""Before the next look begins."""

_POLL = 5.0


def handler(event: dict[str, Any], context: Any) -> None:
    """Look once, or answer CloudFormation."""
    settings = front_door()
    asynchronous = (settings.jobs or Jobs()).asynchronous or Asynchronous()
    plan = Plan(settings.endpoint, os.environ[ENV_ARTEFACT_BUCKET], os.environ[ENV_JOBS_TOPIC_ARN], asynchronous)
    ports = real_ports()
    if "RequestType" in event:
        answer(event, context, plan.name, lambda request: act(request, Retiring(ports, plan), plan.name))
        return
    begin_long(context)
    time_limit.start(LAST_CALL_SECONDS)
    logger.append_keys(endpoint=plan.endpoint)
    look(Follower(ports, plan), ports, plan.endpoint)


def real_ports() -> Ports:
    """Return the ports to AWS. No client is made before it is used."""
    return Ports(
        standings=DynamoStandings(),
        live=RecordedLive(),
        endpoints=SageMakerEndpoints(),
        scaling=ApplicationAutoscaling(),
        trust=KmsTrust(),
        faults=CountedFaults(),
        clock=SystemClock(),
        log=PowertoolsLog(),
    )


def look(follower: Follower, ports: Ports, endpoint: str) -> None:
    """Look once; what cannot be done now is done by a later look, and what a person must see is told."""
    try:
        follower.look()
    except (ConflictError, RetryableError) as error:
        ports.log.warning(f"the next look goes on: {in_words(error)}")
    except TidegateError as error:
        ports.faults.report(endpoint, in_words(error))


def act(request: Request, retiring: Retiring, name: str) -> Answer:
    """Let the endpoint be followed, or take it away when the resource is deleted."""
    if request.kind == "Create":
        retiring.begin()
    elif request.kind == "Delete" and not retiring.end(lambda gone: request.wait_until(gone, _POLL)):
        raise UnfinishedError(f"{name} is still being deleted; delete the stack again")
    return Answer(name)
