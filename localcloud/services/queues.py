"""SQS from the inside: what delivers to queues, what consumes them, and clients that wait for messages."""

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from moto.sqs.models import sqs_backends

from localcloud.front.calls import Call
from localcloud.front.moto_store import MotoStore
from localcloud.front.protocols import Answer

_MAY_BRING_MESSAGES = (
    "sqs:SendMessage",
    "sqs:SendMessageBatch",
    "sqs:ChangeMessageVisibility",
    "sqs:ChangeMessageVisibilityBatch",
    "sns:Publish",
    "sns:PublishBatch",
)
# Something may slip past the notices (a redrive by moto itself), so that no wait is longer.
_LONGEST_WAIT = 0.5
_SHORTEST_WAIT = 0.02


class QueueMissingError(LookupError):
    """There is no such queue."""


@dataclass(frozen=True)
class Received:
    """A message as a consumer gets it."""

    message_id: str
    receipt_handle: str
    body: str
    md5: str
    attributes: dict[str, str]
    message_attributes: dict[str, Any]


class Queues:
    """The queues of the account.

    Parameters
    ----------
    store
        moto, which keeps them.
    account, region
        Whose they are.
    """

    def __init__(self, store: MotoStore, account: str, region: str) -> None:
        self._store = store
        self._account = account
        self._region = region
        self._changed = threading.Condition()
        self._closed = False
        self._changes = 0
        store.after(_MAY_BRING_MESSAGES, self.wake)

    def wake(self) -> None:
        """Let everybody who waits look again."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    @property
    def changes(self) -> int:
        """Return how often something may have arrived: taken before a look, it tells `wait` whether to look again."""
        return self._changes

    def close(self) -> None:
        """End all waiting, for good."""
        self._closed = True
        self.wake()

    def exists(self, arn: str) -> bool:
        """Whether there is such a queue."""
        return _name(arn) in self._backend().queues

    def names(self) -> list[str]:
        """Return all queues' names."""
        return list(self._backend().queues)

    def attribute(self, arn: str, name: str) -> Any:
        """Return an attribute under its API name."""
        with self._store.lock:
            return self._queue(arn).attributes.get(name)

    def counts(self, name: str) -> dict[str, int]:
        """Return a queue's numbers of messages under the names of its metrics; nothing if it is gone."""
        with self._store.lock:
            queue = self._backend().queues.get(name)
            if queue is None:
                return {}
            return {
                "ApproximateNumberOfMessagesVisible": queue.approximate_number_of_messages,
                "ApproximateNumberOfMessagesNotVisible": queue.approximate_number_of_messages_not_visible,
                "ApproximateNumberOfMessagesDelayed": queue.approximate_number_of_messages_delayed,
            }

    def send(self, arn: str, body: str, attributes: dict[str, str] | None = None, group: str | None = None) -> str:
        """Send a message, as a service of AWS does, and return its id."""
        extra = {name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()}
        with self._store.lock:
            self._queue(arn)
            message = self._backend().send_message(_name(arn), body, message_attributes=extra, group_id=group)
        self.wake()
        return str(message.id)

    def receive(self, arn: str, count: int) -> list[Received]:
        """Return up to `count` messages; past their maxReceiveCount they go to the dead-letter queue instead."""
        with self._store.lock:
            visibility = int(self._queue(arn).visibility_timeout)
            found = self._backend().receive_message(_name(arn), count, 0, visibility, ["All"])
            return [_received(message) for message in found]

    def delete(self, arn: str, receipt_handle: str) -> None:
        """Delete a message that was consumed; one that is gone already is fine."""
        with self._store.lock:
            self._queue(arn).delete_message(receipt_handle)

    def release(self, arn: str, receipt_handle: str) -> None:
        """Make a received message visible again at once."""
        with self._store.lock:
            self._backend().change_message_visibility(_name(arn), receipt_handle, 0)
        self.wake()

    def wait(self, arn: str, since: int, longest: float = _LONGEST_WAIT) -> None:
        """Return when there may be a message that was not there at `since`, or after a while."""
        pause = self._until_next(arn, longest)
        with self._changed:
            if not self._closed and self._changes == since:
                self._changed.wait(pause)

    def _until_next(self, arn: str, longest: float) -> float:
        """Return the time until a delayed or received message becomes visible, if that is soon."""
        queue = self._backend().queues.get(_name(arn))
        now = time.time() * 1000
        due = [max(m.visible_at, m.delayed_until) - now for m in (list(queue._messages) if queue else [])]
        # What is overdue and yet was not received (a message group under way) is not worth a busy loop.
        pauses: list[float] = [max(d / 1000 + 0.001, _SHORTEST_WAIT) for d in due]
        return min([*pauses, longest])

    def receive_call(self, call: Call) -> Answer:
        """Answer ReceiveMessage; a long poll waits here, without keeping others out of the store."""
        request = json.loads(call.body)
        arn = str(request["QueueUrl"])
        deadline = time.monotonic() + self._wait_seconds(arn, request)
        body = json.dumps({**request, "WaitTimeSeconds": 0}).encode()
        while True:
            since = self.changes
            answer = self._store.call(call, body)
            remaining = deadline - time.monotonic()
            if answer.status != 200 or remaining <= 0 or self._closed or json.loads(answer.body).get("Messages"):
                return answer
            self.wait(arn, since, min(remaining, _LONGEST_WAIT))

    def _wait_seconds(self, arn: str, request: dict[str, Any]) -> float:
        queue = self._backend().queues.get(_name(arn))
        default = queue.receive_message_wait_time_seconds if queue is not None else 0
        return float(request.get("WaitTimeSeconds", default))

    def _queue(self, arn: str) -> Any:
        queue = self._backend().queues.get(_name(arn))
        if queue is None:
            raise QueueMissingError(arn)
        return queue

    def _backend(self) -> Any:
        return sqs_backends[self._account][self._region]


def _name(arn: str) -> str:
    """Return the queue's name from its ARN or URL."""
    return arn.rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def _received(message: Any) -> Received:
    attributes = {
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "SentTimestamp": str(message.sent_timestamp),
        "SenderId": str(message.sender_id),
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
    }
    if message.group_id:
        attributes["MessageGroupId"] = message.group_id
    return Received(
        message.id,
        message.receipt_handle,
        message.body,
        message.body_md5,
        attributes,
        {name: _attribute(value) for name, value in message.message_attributes.items()},
    )


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    """Return a message attribute under the names that Lambda's event gives it."""
    return {
        "stringValue": value.get("StringValue"),
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value.get("DataType"),
    }
