"""What the queue's messages say: which job, and nothing of what is in it."""

import json
from dataclasses import dataclass

_LONGEST = 256


class UnreadableMessageError(Exception):
    """A message that no function of ours has sent; it says what is wrong with it."""


@dataclass(frozen=True)
class Message:
    """Which job is meant."""

    endpoint: str
    job: str

    def text(self) -> str:
        """Return it as it is sent."""
        return json.dumps({"endpoint": self.endpoint, "job": self.job})


def read(text: str) -> Message:
    """Read a message.

    Raises
    ------
    UnreadableMessageError
        When it names no job.
    """
    try:
        fields = json.loads(text)
        endpoint, job = fields["endpoint"], fields["job"]
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableMessageError('the message is not {"endpoint": ..., "job": ...}') from error
    if not all(isinstance(each, str) and 0 < len(each) <= _LONGEST for each in (endpoint, job)):
        raise UnreadableMessageError(f"endpoint and job must be text of 1 to {_LONGEST} characters")
    return Message(endpoint, job)
