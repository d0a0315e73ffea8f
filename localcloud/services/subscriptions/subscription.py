"""One subscription filter, and how what it lets through reaches its destination."""

import gzip
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.services.role_access import RoleAccess
from localcloud.services.subscriptions.pattern import Matches, compiled

_LARGEST_PIECE = 900_000
"""Bytes of log events that are sent together, which a delivery stream takes as one record, compressed or not."""

_CONTROL = "CWL CONTROL MESSAGE: Checking health of destination Firehose."

Event = tuple[int, str]
"""Epoch milliseconds, and the message."""


class UndeliverableError(Exception):
    """The destination does not take what is sent."""


@dataclass(frozen=True)
class Subscription:
    """A filter on a log group.

    Parameters
    ----------
    group, name
        Log group, and name of the filter.
    pattern
        Which events it lets through.
    stream
        Name of the delivery stream that they go to.
    destination_arn, role_arn
        That stream's ARN, and the role under which they go.
    created_at
        In epoch milliseconds.
    """

    group: str
    name: str
    pattern: str
    stream: str
    destination_arn: str
    role_arn: str
    created_at: int
    matches: Matches = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the pattern."""
        object.__setattr__(self, "matches", compiled(self.pattern))


class Sender:
    """Sends log events as CloudWatch Logs does: several in a record, compressed.

    Parameters
    ----------
    account
        Whose log groups they are.
    roles
        Opens sessions of the filters' roles.
    """

    def __init__(self, account: str, roles: RoleAccess) -> None:
        self._account = account
        self._roles = roles

    def try_out(self, to: Subscription) -> None:
        """Send what says that somebody is trying; raise `UndeliverableError`."""
        self._send(to, [self._record(to, "CONTROL_MESSAGE", "", [(to.created_at, _CONTROL)])])

    def send(self, to: Subscription, log_stream: str, events: Sequence[Event]) -> None:
        """Send events; raise `UndeliverableError`."""
        self._send(to, [self._record(to, "DATA_MESSAGE", log_stream, piece) for piece in _pieces(events)])

    def _record(self, to: Subscription, kind: str, log_stream: str, events: Sequence[Event]) -> bytes:
        message = {
            "messageType": kind,
            "owner": self._account if log_stream else "CloudwatchLogs",
            "logGroup": to.group if log_stream else "",
            "logStream": log_stream,
            "subscriptionFilters": [to.name] if log_stream else [],
            "logEvents": [{"id": uuid.uuid4().hex, "timestamp": at, "message": text} for at, text in events],
        }
        return gzip.compress(json.dumps(message).encode(), 1)

    def _send(self, to: Subscription, records: Sequence[bytes]) -> None:
        with self._roles.open(to.role_arn, "logs") as session:
            try:
                firehose = session.client("firehose")
                for record in records:
                    firehose.put_record(DeliveryStreamName=to.stream, Record={"Data": record})
            except (BotoCoreError, ClientError) as error:
                raise UndeliverableError(str(error)) from error


def _pieces(events: Sequence[Event]) -> Iterator[list[Event]]:
    piece, size = list[Event](), 0
    for event in events:
        length = len(event[1].encode())
        if piece and size + length > _LARGEST_PIECE:
            yield piece
            piece, size = [], 0
        piece.append(event)
        size += length
    if piece:
        yield piece
