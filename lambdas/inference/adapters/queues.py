"""Queues of an endpoint: of jobs that wait, and of what could not be done.

Needs sqs:SendMessage on the queue that is written to; a worker also sqs:ChangeMessageVisibility on its own, beside what
Lambda itself needs to read it (sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes).
"""

import math
import os
from collections.abc import Callable
from typing import Any

from lambdas.inference.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated

REASON_ATTRIBUTE = "reason"
"""Message attribute of a dead letter."""

LONGEST_DELAY, LONGEST_WAIT = 900, 43_200
_LONGEST_REASON = 1000
_CONNECT, _READ = 1.0, 3.0


def lazy_sqs() -> Lazy:
    """Return SQS's client, made when first called."""
    return Lazy("sqs", connect=_CONNECT, read=_READ)


class SqsQueue:
    """Implements `lambdas.inference.jobs.ports.Queue` and `lambdas.inference.jobs.delivering.Putting`.

    Parameters
    ----------
    variable
        Environment variable with the queue's URL.
    client
        Returns SQS's client.
    """

    def __init__(self, variable: str, client: Callable[[], Any] | None = None) -> None:
        self._variable = variable
        self._client = client or lazy_sqs()

    def send(self, body: str) -> None:
        """Send a message."""
        with translated():
            self._client().send_message(QueueUrl=os.environ[self._variable], MessageBody=body)

    def send_later(self, body: str, seconds: int) -> None:
        """Send a message that is delivered after some seconds."""
        with translated():
            self._client().send_message(
                QueueUrl=os.environ[self._variable], MessageBody=body, DelaySeconds=min(seconds, LONGEST_DELAY)
            )

    def put_off(self, receipt: str, seconds: float) -> None:
        """Have a message that was received delivered again after some seconds."""
        timeout = max(0, min(math.ceil(seconds), LONGEST_WAIT))
        with translated():
            self._client().change_message_visibility(
                QueueUrl=os.environ[self._variable], ReceiptHandle=receipt, VisibilityTimeout=timeout
            )


class SqsDeadLetters:
    """Implements `lambdas.inference.jobs.ports.DeadLetters`.

    Parameters
    ----------
    variable
        Environment variable with the queue's URL.
    client
        Returns SQS's client.
    """

    def __init__(self, variable: str, client: Callable[[], Any] | None = None) -> None:
        self._variable = variable
        self._client = client or lazy_sqs()

    def send(self, body: str, reason: str) -> None:
        """Send a message with the reason beside it."""
        # SQS takes no empty text, and only characters that XML has.
        told = "".join(each if each.isprintable() else " " for each in reason)[:_LONGEST_REASON] or "not told"
        with translated():
            self._client().send_message(
                QueueUrl=os.environ[self._variable],
                MessageBody=body,
                MessageAttributes={REASON_ATTRIBUTE: {"DataType": "String", "StringValue": told}},
            )
