"""Starts and follows an endpoint's batches: schedules, operators' commands, states of jobs, and a look once a minute.

Takes events as they are, or in messages of SQS.

Calls: dynamodb GetItem and TransactWriteItems (PutItem) of the front doors' table, GetItem of the rollout table;
sagemaker DescribeEndpointConfig, DescribeModel, CreateModel, DeleteModel, CreateTransformJob, DescribeTransformJob,
StopTransformJob; iam PassRole (with CreateModel); s3 ListBucket of the input
and of the artefact bucket, GetObject and PutObject of ``batch/<endpoint>/`` in the latter, and GetObject of the
endpoint's own artefacts; events PutEvents.

Where answers are asked for by key: states StartExecution, DescribeExecution and StopExecution of the state machine that
loads them; dynamodb GetItem and PutItem of signatures in the front doors' table, sagemaker DescribeModelPackage and
DescribeModel, and s3 GetObject of signatures.
"""

import os
import time
from typing import Any

from lambdas.contract import BATCH_DETAIL_TYPE, ENV_ARTEFACT_BUCKET, INFERENCE_EVENT_SOURCE
from lambdas.inference.adapters.signatures import RecordedSignatures, quick
from lambdas.inference.adapters.table import InferenceTable, quick_dynamodb
from lambdas.inference.batch.adapters.executions import StepFunctions
from lambdas.inference.batch.adapters.models import LiveModels
from lambdas.inference.batch.adapters.objects import S3Objects
from lambdas.inference.batch.adapters.table import DynamoStore
from lambdas.inference.batch.adapters.transforms import SageMakerTransforms
from lambdas.inference.batch.controller import Controller
from lambdas.inference.batch.events import read_event
from lambdas.inference.batch.ports import Ports
from lambdas.inference.batch.settings import Batch, Plan
from lambdas.inference.handlers.wiring import log_of
from lambdas.inference.settings import front_door
from lambdas.rollout.adapters.bus import EventBridge
from lambdas.rollout.adapters.clients import time_limit
from lambdas.rollout.adapters.trust import KmsTrust
from lambdas.rollout.handlers.batch import at_once_again, each_message
from lambdas.rollout.handlers.faults import CountedFaults
from lambdas.rollout.handlers.wiring import PowertoolsLog, SystemClock, begin_long, logger

LAST_CALL_SECONDS = 48.0
"""The function's time-out is 60 s, and the slowest call takes 5 s to give up."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Take in one event, or the messages of a queue."""
    begin_long(context)
    time_limit.start(LAST_CALL_SECONDS)
    settings = front_door()
    plan = Plan(settings.endpoint, os.environ[ENV_ARTEFACT_BUCKET], settings.batch or Batch())
    if "Records" in event:
        return each_message(event, at_once_again(lambda message: _take(plan, message)))
    _take(plan, event)
    return None


def _take(plan: Plan, event: dict[str, Any]) -> None:
    clock = SystemClock()
    said = read_event(event, plan, clock.now())
    if said is None:
        return
    logger.append_keys(endpoint=plan.endpoint)
    ports = Ports(
        store=DynamoStore(),
        models=LiveModels(signatures=_signatures(plan)),
        objects=S3Objects(),
        transforms=SageMakerTransforms(),
        executions=StepFunctions(),
        trust=KmsTrust(),
        announcer=EventBridge(INFERENCE_EVENT_SOURCE, BATCH_DETAIL_TYPE),
        faults=CountedFaults(),
        clock=clock,
        log=PowertoolsLog(),
    )
    Controller(ports, plan).tell(said)


def _signatures(plan: Plan) -> RecordedSignatures | None:
    """Return what knows how wide rows are; nobody asks where they bring no keys along."""
    if not plan.batch.serve_days:
        return None
    table, log = InferenceTable(quick_dynamodb()), log_of(front_door(), "batch")
    return RecordedSignatures(plan.endpoint, table, log, quick("sagemaker"), quick("s3"), time.time)
