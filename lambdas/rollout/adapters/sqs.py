"""Timers: messages that SQS delivers later."""

import json
import math
import os
from collections.abc import Sequence

from lambdas.contract import ENV_TIMER_QUEUE_URL
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import RetryableError, TidegateError

LONGEST_DELAY = 900
AT_ONCE = 10
"""Messages that one call sends."""


class SqsTimers:
    """Implements `lambdas.rollout.ports.Timers`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sqs")

    def wake(self, name: str, delay: float, due: float | None = None) -> None:
        """Have the endpoint looked at after `delay` seconds, or 15 minutes at most."""
        body = {"endpoint": name} if due is None else {"endpoint": name, "due": due}
        self._send(body, delay)

    def wake_all(self, names: Sequence[str]) -> None:
        """Have all of these endpoints looked at now.

        Raises
        ------
        TidegateError
            When not all could be told; the others were.
        """
        batches = [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]
        refused = [reason for batch in batches for reason in self._send_batch(batch)]
        if refused:
            raise RetryableError(f"{len(refused)} timers could not be sent: {refused[0]}")

    def repeat(self, body: dict[str, object], delay: float) -> None:
        """Have a message handled again after `delay` seconds."""
        self._send(body, delay)

    def _send_batch(self, names: Sequence[str]) -> list[str]:
        entries = [{"Id": str(n), "MessageBody": json.dumps({"endpoint": name})} for n, name in enumerate(names)]
        try:
            with translated():
                answer = self._client().send_message_batch(QueueUrl=os.environ[ENV_TIMER_QUEUE_URL], Entries=entries)
        except TidegateError as error:
            return [str(error)] * len(names)
        return [each.get("Message", each["Code"]) for each in answer.get("Failed", [])]

    def _send(self, body: dict[str, object] | dict[str, str], delay: float) -> None:
        with translated():
            self._client().send_message(
                QueueUrl=os.environ[ENV_TIMER_QUEUE_URL],
                MessageBody=json.dumps(body),
                DelaySeconds=max(0, min(math.ceil(delay), LONGEST_DELAY)),
            )
