"""Compares both versions' answers to captured requests, as SageMaker writes them to S3.

Calls: s3 GetObject on captures; dynamodb GetItem, and PutItem of findings only; sagemaker InvokeEndpoint; and it
consumes its queue.
"""

from typing import Any

from lambdas.rollout.adapters.answers import PairedItems, S3Captures, VariantAnswers
from lambdas.rollout.adapters.clients import time_limit
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.answers.captures import capture_object
from lambdas.rollout.answers.comparing import Comparison
from lambdas.rollout.errors import PermanentError
from lambdas.rollout.handlers.batch import each_message
from lambdas.rollout.handlers.faults import report
from lambdas.rollout.handlers.times import epoch
from lambdas.rollout.handlers.wiring import PowertoolsLog, SystemClock, begin_long
from lambdas.rollout.sweeper import Fault

LAST_CALL_SECONDS = 48.0
"""The function's time-out is 60 s, and the slowest call takes 7 s to give up."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take files of captured requests off the queue."""
    begin_long(context)
    time_limit.start(LAST_CALL_SECONDS)
    comparison = real_comparison()
    return each_message(event, lambda message: on_object(comparison, message))


def on_object(comparison: Comparison, message: dict[str, Any]) -> None:
    """Compare the answers in a file that has been written."""
    written = message["detail"]
    file = capture_object(written["bucket"]["name"], written["object"]["key"], epoch(message["time"]))
    if file is None:
        return
    try:
        comparison.take(file)
    except PermanentError as error:
        # The same message would fail again; people are told by the alarm on faults that stay.
        report([Fault(file.endpoint, str(error))])


def real_comparison() -> Comparison:
    """Return what compares answers on AWS."""
    states, findings = DynamoStore(), PairedItems()
    return Comparison(states, findings, S3Captures(), VariantAnswers(), SystemClock(), PowertoolsLog())
