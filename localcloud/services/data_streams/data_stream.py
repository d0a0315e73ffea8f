"""A data stream, and all of them; whoever reads can wait for more."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localcloud.errors import AwsError
from localcloud.services.data_streams.shard import Record, Shard, hash_key

ON_DEMAND_SHARDS = 4
DEFAULT_RETENTION_HOURS = 24
_LONGEST_WAIT = 0.5


@dataclass
class DataStream:
    """A stream, its shards and its settings; `key` is the KMS key, empty for none."""

    name: str
    arn: str
    mode: str
    shards: tuple[Shard, ...]
    created_at: float = field(default_factory=time.time)
    retention_hours: int = DEFAULT_RETENTION_HOURS
    key: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def shard(self, shard_id: str) -> Shard:
        """Return a shard by its name."""
        found = next((shard for shard in self.shards if shard.shard_id == shard_id), None)
        if found is None:
            message = f"Could not find shard {shard_id} in stream {self.name} under account {self.arn.split(':')[4]}."
            raise AwsError("ResourceNotFoundException", message)
        return found

    def encryption(self) -> dict[str, str]:
        """Return how the stream is encrypted, as the API shows it."""
        return {"EncryptionType": "KMS", "KeyId": self.key} if self.key else {"EncryptionType": "NONE"}

    def described(self) -> dict[str, Any]:
        """Return what all descriptions of the stream have in common."""
        return {
            "StreamName": self.name,
            "StreamARN": self.arn,
            "StreamStatus": "ACTIVE",
            "StreamModeDetails": {"StreamMode": self.mode},
            "RetentionPeriodHours": self.retention_hours,
            "StreamCreationTimestamp": self.created_at,
            "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
            **self.encryption(),
        }


class DataStreams:
    """The account's streams.

    Parameters
    ----------
    now
        Time in epoch seconds.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._streams: dict[str, DataStream] = {}
        self._changed = threading.Condition()
        self._changes = 0
        self._closed = False

    def add(self, stream: DataStream) -> None:
        """Take a new stream; its name must be free."""
        with self._changed:
            if stream.name in self._streams:
                message = f"Stream {stream.name} under account {stream.arn.split(':')[4]} already exists."
                raise AwsError("ResourceInUseException", message)
            self._streams[stream.name] = stream

    def remove(self, name: str) -> None:
        """Forget a stream and its records."""
        with self._changed:
            self._streams.pop(name, None)
        self.wake()

    def names(self) -> list[str]:
        """Return all streams' names, in order."""
        with self._changed:
            return sorted(self._streams)

    def find(self, name: str) -> DataStream | None:
        """Return a stream by name or ARN; None if it is not there."""
        return self._streams.get(name.rpartition("/")[2])

    def put(self, stream: DataStream, partition_key: str, explicit_hash: str | None, data: bytes) -> tuple[str, Record]:
        """Keep a record, and return its shard's name and itself."""
        key = int(explicit_hash) if explicit_hash else hash_key(partition_key)
        shard = next((shard for shard in stream.shards if shard.takes(key)), None)
        if shard is None:
            raise AwsError("InvalidArgumentException", f"ExplicitHashKey {key} is not in the range 0 to 2^128 - 1")
        with self._changed:
            record = shard.put(partition_key, data, self._now())
        self.wake()
        return shard.shard_id, record

    def read(self, stream: DataStream, shard: Shard, position: int, limit: int) -> tuple[Sequence[Record], int]:
        """Return records from a position on, and the position behind them; what is past its retention is gone."""
        with self._changed:
            shard.trim(self._now() - stream.retention_hours * 3600)
            return shard.read(position, limit)

    @property
    def changes(self) -> int:
        """Return how often something came: taken before a look, it tells `wait` whether to look again."""
        return self._changes

    def wait(self, since: int, longest: float = _LONGEST_WAIT) -> None:
        """Return when something came that was not there at `since`, or after a while."""
        with self._changed:
            if not self._closed and self._changes == since:
                self._changed.wait(longest)

    def wake(self) -> None:
        """Let everybody who waits look again."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def close(self) -> None:
        """End all waiting, for good."""
        self._closed = True
        self.wake()


def shards_of(params: Mapping[str, Any]) -> tuple[str, tuple[Shard, ...]]:
    """Return mode and shards of a new stream."""
    mode = (params.get("StreamModeDetails") or {}).get("StreamMode", "PROVISIONED")
    if mode == "ON_DEMAND" and "ShardCount" in params:
        raise AwsError("ValidationException", "ShardCount must not be given for a stream in ON_DEMAND mode")
    if mode == "PROVISIONED" and "ShardCount" not in params:
        raise AwsError("ValidationException", "ShardCount is required for a stream in PROVISIONED mode")
    count = int(params.get("ShardCount", ON_DEMAND_SHARDS))
    return mode, tuple(Shard(index, count) for index in range(count))
