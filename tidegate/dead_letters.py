"""Dead letters of jobs: messages that nobody could do what they ask for, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.inference.jobs.job import Job, Status
from lambdas.inference.jobs.messages import UnreadableMessageError, read
from tidegate import jobs
from tidegate.aws import Aws
from tidegate.settings import EndpointSettings

REASON = "reason"
HELD_SECONDS = 120
"""For so long nobody else is shown what was just read."""

WAIT_SECONDS = 1
"""Without waiting, SQS asks some of its machines only."""

_AT_ONCE = 10
_SENT = "SentTimestamp"
_MILLISECONDS = 1000.0


@dataclass(frozen=True)
class DeadLetter:
    """A message that nobody could do what it asks for.

    Parameters
    ----------
    job
        Id of its job; empty where it names none.
    reason
        Why, as far as anybody has said.
    sent_at
        When it was written, in epoch seconds.
    body, receipt
        What it says, and by what it is deleted.
    """

    job: str
    reason: str
    sent_at: float
    body: str
    receipt: str


class DeadLetters:
    """The dead letters of an endpoint; a context, at whose end those that are left can be read by others again.

    Parameters
    ----------
    aws, endpoint
        Whose.
    """

    def __init__(self, aws: Aws, endpoint: EndpointSettings) -> None:
        self._aws, self._endpoint = aws, endpoint
        self._url = jobs.queues(aws, endpoint)["dead_letters"]
        self._held: dict[str, str] = {}

    def __enter__(self) -> DeadLetters:
        return self

    def __exit__(self, *_: object) -> None:
        for receipts in _by_tens(list(self._held.values())):
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts)
            ]
            # One that could not be given back comes back by itself.
            self._aws.sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

    def read(self, most: int) -> Iterator[DeadLetter]:
        """Yield letters, each once, up to a number of them."""
        seen: set[str] = set()
        while len(seen) < most:
            messages = self._received()
            fresh = [each for each in messages if each["MessageId"] not in seen]
            for message in fresh[: most - len(seen)]:
                seen.add(message["MessageId"])
                yield self._letter(message)
            if not fresh:
                return

    def delete(self, letter: DeadLetter) -> None:
        """Delete a letter."""
        self._aws.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)
        self._held = {name: receipt for name, receipt in self._held.items() if receipt != letter.receipt}

    def _received(self) -> list[Any]:
        answer = self._aws.sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_AT_ONCE,
            MessageAttributeNames=[REASON],
            MessageSystemAttributeNames=["SentTimestamp"],
            VisibilityTimeout=HELD_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS,
        )
        messages: list[Any] = list(answer.get("Messages", []))
        self._held |= {each["MessageId"]: each["ReceiptHandle"] for each in messages}
        return messages

    def _letter(self, message: Any) -> DeadLetter:
        named = message.get("MessageAttributes", {}).get(REASON, {}).get("StringValue", "")
        job = _job_of(message["Body"], self._endpoint.name)
        sent = float(message.get("Attributes", {}).get(_SENT, 0)) / _MILLISECONDS
        return DeadLetter(job, named or self._reason(job), sent, message["Body"], message["ReceiptHandle"])

    def _reason(self, identity: str) -> str:
        """Return why SQS itself has given a message up: as far as its job says."""
        job = jobs.find(self._aws, self._endpoint, identity) if identity else None
        return "it was delivered too often" if job is None else f"it was delivered too often; {_standing(job)}"


def _standing(job: Job) -> str:
    if job.status is Status.RUNNING:
        return job.attempted()
    return job.reason or f"its job is {job.status.value}"


def _job_of(body: str, endpoint: str) -> str:
    try:
        message = read(body)
    except UnreadableMessageError:
        return ""
    return message.job if message.endpoint == endpoint else ""


def _by_tens(receipts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (receipts[start : start + _AT_ONCE] for start in range(0, len(receipts), _AT_ONCE))
