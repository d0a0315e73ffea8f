"""Notifications to people."""

import os

from lambdas.contract import ENV_TOPIC_ARN
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated

_LONGEST_SUBJECT = 99


class SnsNotifier:
    """Implements `lambdas.rollout.ports.Notifier`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sns")

    def tell(self, subject: str, text: str) -> None:
        """Send a notification."""
        with translated():
            self._client().publish(TopicArn=os.environ[ENV_TOPIC_ARN], Subject=_subject(subject), Message=text)


def _subject(text: str) -> str:
    """Return the text as SNS takes subjects: one line of ASCII that begins with no blank, of less than 100."""
    one_line = " ".join(text.split())
    plain = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in one_line)
    return plain[:_LONGEST_SUBJECT] or "Tidegate"
