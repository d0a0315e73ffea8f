"""Timers: messages that SQS delivers later."""

import json
import math
import os

from lambdas.contract import ENV_TIMER_QUEUE_URL
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated

LONGEST_DELAY = 900


class SqsTimers:
    """Implements `lambdas.rollout.ports.Timers`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sqs")

    def wake(self, name: str, delay: float, due: float | None = None) -> None:
        """Have the endpoint looked at after `delay` seconds, or 15 minutes at most."""
        body = {"endpoint": name} if due is None else {"endpoint": name, "due": due}
        self._send(body, delay)

    def repeat(self, body: dict[str, object], delay: float) -> None:
        """Have a message handled again after `delay` seconds."""
        self._send(body, delay)

    def _send(self, body: dict[str, object] | dict[str, str], delay: float) -> None:
        with translated():
            self._client().send_message(
                QueueUrl=os.environ[ENV_TIMER_QUEUE_URL],
                MessageBody=json.dumps(body),
                DelaySeconds=max(0, min(math.ceil(delay), LONGEST_DELAY)),
            )
