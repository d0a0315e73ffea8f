"""Shard iterators: tokens that say where in which shard to read on."""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from localcloud.errors import AwsError
from localcloud.services.data_streams.shard import Record, Shard

LIFE_SECONDS = 300.0
"""A token serves for five minutes."""


@dataclass(frozen=True)
class Iterator:
    """A place in a shard; `made_at` in epoch seconds."""

    stream: str
    shard: str
    position: int
    made_at: float

    def token(self) -> str:
        """Return the token that stands for it."""
        return base64.b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def of(cls, token: str) -> "Iterator":
        """Return what a token stands for; raise `AwsError` if it is none."""
        try:
            return cls(**json.loads(base64.b64decode(token, validate=True)))
        except (binascii.Error, ValueError, TypeError):
            raise AwsError("InvalidArgumentException", "Invalid ShardIterator.") from None

    def check(self) -> None:
        """Raise `AwsError` if it is too old."""
        age = time.time() - self.made_at
        if age > LIFE_SECONDS:
            message = f"Iterator expired. The iterator was created {age:.0f} s ago; tokens serve {LIFE_SECONDS:.0f} s."
            raise AwsError("ExpiredIteratorException", message)


def position_of(shard: Shard, params: Mapping[str, Any]) -> int:
    """Return where GetShardIterator's parameters, or those of an event source mapping, say that reading begins."""
    kind = params.get("ShardIteratorType") or params.get("StartingPosition")
    if kind == "TRIM_HORIZON":
        return shard.start
    if kind == "LATEST":
        return shard.end
    if kind == "AT_TIMESTAMP":
        return _at_timestamp(shard, params)
    return _at_sequence(shard, params, after=kind == "AFTER_SEQUENCE_NUMBER")


def _at_timestamp(shard: Shard, params: Mapping[str, Any]) -> int:
    given = params.get("Timestamp") or params.get("StartingPositionTimestamp")
    if given is None:
        raise AwsError("InvalidArgumentException", "AT_TIMESTAMP needs a timestamp")
    at = given.timestamp() if hasattr(given, "timestamp") else float(given)
    return shard.position_where(lambda record: record.arrived_at >= at)


def _at_sequence(shard: Shard, params: Mapping[str, Any], *, after: bool) -> int:
    number = str(params.get("StartingSequenceNumber") or "")
    if not number.isdecimal():
        raise AwsError("InvalidArgumentException", f"StartingSequenceNumber {number!r} is not a sequence number")

    def is_there(record: Record) -> bool:
        return record.sequence > int(number) or (record.sequence == int(number) and not after)

    return shard.position_where(is_there)
