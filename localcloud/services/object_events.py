"""Amazon S3's events on EventBridge: one for each object that is created in a bucket that asks for them."""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.front.moto_pins import send_object_events_to

SOURCE, CREATED = "aws.s3", "Object Created"
_REASONS = {
    "s3:ObjectCreated:Put": "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
}
"""What a created object's event gives as its reason, by moto's name of the event."""

Emit = Callable[[str, str, Mapping[str, Any], list[str]], None]


def send_object_events(account: str, emit: Emit) -> None:
    """Send events of the objects that moto stores.

    Parameters
    ----------
    account
        Whose buckets they are.
    emit
        The default bus, as services of AWS see it; it must return at once, for the store is locked meanwhile.
    """

    def take(_account: str, bucket: Any, event: Any, key: Any) -> None:
        reason = _REASONS.get(event.value)
        if reason is None:
            return  # deletions, and changes of tags and access lists, are told nobody here
        if reason != "PutObject" or key.multipart is None:  # what came in parts is told once more, as what it is
            emit(SOURCE, CREATED, _detail(account, bucket, key, reason), [bucket.arn])

    send_object_events_to(take)


def _detail(account: str, bucket: Any, key: Any, reason: str) -> dict[str, Any]:
    """Return an event's detail; keys are in plain here, not encoded as in notifications to queues and functions."""
    described = {"key": key.name, "size": key.size, "etag": key.etag.strip('"')}
    if key.version_id not in (None, "null"):
        described["version-id"] = key.version_id
    return {
        "version": "0",
        "event-version": "1.0",
        "bucket": {"name": bucket.name},
        "object": {**described, "sequencer": f"{time.time_ns():018X}"},
        "request-id": secrets.token_hex(8).upper(),
        "requester": account,
        "source-ip-address": "127.0.0.1",
        "reason": reason,
    }
