"""The real world's ports, and the log that every function writes."""

import time
import uuid
from typing import Any

from aws_lambda_powertools import Logger

from lambdas.rollout.adapters.autoscaling import ApplicationAutoscaling
from lambdas.rollout.adapters.clients import time_limit
from lambdas.rollout.adapters.cloudwatch import CloudWatchAlarms
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.adapters.hooks import LambdaHooks
from lambdas.rollout.adapters.metrics import CloudWatchMetrics
from lambdas.rollout.adapters.registry import SageMakerRegistry
from lambdas.rollout.adapters.runtime import SageMakerRuntime
from lambdas.rollout.adapters.sagemaker import SageMakerEndpoints
from lambdas.rollout.adapters.sns import SnsNotifier
from lambdas.rollout.adapters.sqs import SqsTimers
from lambdas.rollout.adapters.ssm import SsmSettings
from lambdas.rollout.adapters.trust import KmsTrust
from lambdas.rollout.ports import Ports

LAST_CALL_SECONDS = 17.0
"""No call begins later than this in the functions with a time-out of 25 s; the slowest takes 6 s to give up."""

logger = Logger()


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time()

    def elapsed(self) -> float:
        """Return seconds on a clock that never jumps."""
        return time.monotonic()


class PowertoolsLog:
    """Implements `lambdas.rollout.ports.Log`; every line names endpoint, rollout and phase."""

    def bind(self, **fields: object) -> None:
        """Add fields to every line from here on."""
        logger.thread_safe_append_keys(**fields)

    def info(self, message: str) -> None:
        """Write a line."""
        logger.info(message)

    def warning(self, message: str) -> None:
        """Write a line that somebody may want to look at."""
        logger.warning(message)

    def exception(self, message: str) -> None:
        """Write a line about the error that is being handled, with its traceback."""
        logger.exception(message)


def begin(context: Any) -> str:
    """Start a short function's log and time limit, and return who this invocation is."""
    owner = begin_long(context)
    time_limit.start(LAST_CALL_SECONDS)
    return owner


def begin_long(context: Any) -> str:
    """Start the log of a function that may wait, and return who this invocation is."""
    time_limit.start(float("inf"))
    request = str(getattr(context, "aws_request_id", ""))
    logger.clear_state()
    logger.append_keys(request=request)
    # Lambda's retries of an asynchronous event keep its id, and two of them must never take one lease for theirs.
    return f"{request}-{uuid.uuid4().hex[:12]}"


def real_ports() -> Ports:
    """Return the ports to AWS. No client is made before it is used."""
    return Ports(
        store=DynamoStore(),
        endpoints=SageMakerEndpoints(),
        invoker=SageMakerRuntime(),
        hooks=LambdaHooks(),
        alarms=CloudWatchAlarms(),
        metrics=CloudWatchMetrics(),
        autoscaling=ApplicationAutoscaling(),
        registry=SageMakerRegistry(),
        trust=KmsTrust(),
        settings=SsmSettings(),
        timers=SqsTimers(),
        notifier=SnsNotifier(),
        clock=SystemClock(),
        log=PowertoolsLog(),
    )
