"""Answers jobs, through SQS; each message succeeds or comes again on its own.

Its queue's visibility timeout must be longer than its own time-out (AWS advises six times that), and its event source
must report single failures. A message comes back when its endpoint was busy or its worker was killed, so its queue must
let it come back more often than a job has attempts: 100 times, where a job has 50 at most. While jobs are switched off
it is sent anew instead, for that may last longer than any count.

Jobs with an endpoint of their own are handed over to it, and SageMaker's messages of what it has answered come by the
same queue. A message that waits for an answer is sent anew as well: put off, very many of them would block the queue.

Calls: dynamodb GetItem and PutItem of jobs; s3 GetObject and PutObject of jobs' rows and answers; sqs
ChangeMessageVisibility of its queue and SendMessage to it and to the dead letters; events PutEvents; and what `predict`
calls for a prediction, or sagemaker InvokeEndpointAsync and dynamodb GetItem of what the jobs' endpoint stands for.
"""

import random
import time
from collections.abc import Mapping
from typing import Any

from lambdas.contract import ENV_JOBS_DEAD_QUEUE_URL, ENV_JOBS_QUEUE_URL, jobs_endpoint
from lambdas.inference.adapters.async_runtime import SageMakerAsyncRuntime
from lambdas.inference.adapters.job_events import JobEvents
from lambdas.inference.adapters.job_files import S3JobFiles, key_of, uri
from lambdas.inference.adapters.job_table import DynamoJobs
from lambdas.inference.adapters.queues import SqsDeadLetters, SqsQueue, lazy_sqs
from lambdas.inference.adapters.refusals import of_failure
from lambdas.inference.adapters.runtime import runtime_client
from lambdas.inference.following.adapters.table import DynamoStandings
from lambdas.inference.handlers.times import SystemClock, TimeLeft
from lambdas.inference.handlers.wiring import log_of, real_ports
from lambdas.inference.jobs.asking import EndpointModel
from lambdas.inference.jobs.asynchronous import AsynchronousEndpoint, Outside
from lambdas.inference.jobs.delivering import Delivery, Shift, work_through
from lambdas.inference.jobs.working import Worker, World
from lambdas.inference.settings import Jobs, front_door
from lambdas.inference.unattended import Unattended

_OTHER_CALLS_SECONDS = 15.0
"""What a job needs beside the model's time: its rows, its answer, what is written of it."""

_settings = front_door()
_jobs = _settings.jobs or Jobs()
_log = log_of(_settings, "work")
_ports = real_ports(_settings, runtime_client(_settings.timeout_seconds), _log)
_left = TimeLeft()
_sqs = lazy_sqs()
_files = S3JobFiles()
_queue = SqsQueue(ENV_JOBS_QUEUE_URL, _sqs)


def _asynchronous() -> AsynchronousEndpoint | None:
    if _jobs.asynchronous is None:
        return None
    standings = DynamoStandings()
    return AsynchronousEndpoint(
        _settings,
        Outside(
            ports=_ports,
            runtime=SageMakerAsyncRuntime(jobs_endpoint(_settings.endpoint)),
            files=_files,
            standing=lambda: standings.load(_settings.endpoint),
            failed=of_failure,
            uri=uri,
            key=key_of,
        ),
    )


_worker = Worker(
    _settings.endpoint,
    _jobs.attempts,
    World(
        store=DynamoJobs(),
        files=_files,
        model=EndpointModel(Unattended(_settings, _ports, _left)),
        dead_letters=SqsDeadLetters(ENV_JOBS_DEAD_QUEUE_URL, _sqs),
        announcer=JobEvents(),
        clock=SystemClock(time.time),
        chance=random.random,
        uri=uri,
        jobs_endpoint=_asynchronous(),
    ),
)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Work on a batch of messages; return those that are to come again."""
    _log.bind(request=str(getattr(context, "aws_request_id", "")))
    _left.start(context)
    switches = _ports.flags.latest()
    shift = Shift(
        worker=_worker,
        queue=_queue,
        left=_left,
        needed=_settings.timeout_seconds + _OTHER_CALLS_SECONDS,
        is_open=switches.front_door and switches.jobs,
        failed=_log.exception,
    )
    again = work_through(shift, [_delivery(record) for record in event["Records"]])
    return {"batchItemFailures": [{"itemIdentifier": identity} for identity in again]}


def _delivery(record: Mapping[str, Any]) -> Delivery:
    return Delivery(record["messageId"], record["receiptHandle"], record["body"])
