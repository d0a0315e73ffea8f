"""Notifications to people."""

import os

from lambdas.contract import ENV_TOPIC_ARN
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated


class SnsNotifier:
    """Implements `lambdas.rollout.ports.Notifier`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sns")

    def tell(self, subject: str, text: str) -> None:
        """Send a notification."""
        with translated():
            self._client().publish(TopicArn=os.environ[ENV_TOPIC_ARN], Subject=subject, Message=text)
