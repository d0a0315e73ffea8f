"""A shard: the records of a range of hash keys, in the order in which they came."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

KEY_SPACE = 1 << 128
_FIRST_SEQUENCE = 49_660_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000
_SHARDS_APART = 22_300_745_198_530_623_141_535_718_272_648_361_505_980_416


def hash_key(partition_key: str) -> int:
    """Return the hash of a partition key, which decides its shard."""
    return int.from_bytes(hashlib.md5(partition_key.encode(), usedforsecurity=False).digest(), "big")


@dataclass(frozen=True)
class Record:
    """A record as a shard keeps it; `arrived_at` in epoch seconds."""

    sequence: int
    partition_key: str
    data: bytes
    arrived_at: float


@dataclass
class Shard:
    """Records, the oldest first. A position counts all records that ever came, from 0."""

    index: int
    of: int
    _records: list[Record] = field(default_factory=list)
    _trimmed: int = 0

    @property
    def shard_id(self) -> str:
        """Return the shard's name."""
        return f"shardId-{self.index:012d}"

    @property
    def first_sequence(self) -> int:
        """Return the sequence number with which the shard begins."""
        return _FIRST_SEQUENCE + self.index * _SHARDS_APART

    @property
    def end(self) -> int:
        """Return the position behind the newest record."""
        return self._trimmed + len(self._records)

    @property
    def start(self) -> int:
        """Return the position of the oldest record that is still there."""
        return self._trimmed

    def takes(self, key: int) -> bool:
        """Whether records with this hash key are the shard's."""
        return self._from() <= key <= self._to()

    def put(self, partition_key: str, data: bytes, now: float) -> Record:
        """Keep a record."""
        record = Record(self.first_sequence + 1 + self.end, partition_key, data, now)
        self._records.append(record)
        return record

    def trim(self, before: float) -> None:
        """Forget the records that came before a time."""
        kept = next((i for i, record in enumerate(self._records) if record.arrived_at >= before), len(self._records))
        del self._records[:kept]
        self._trimmed += kept

    def read(self, position: int, limit: int) -> tuple[Sequence[Record], int]:
        """Return up to `limit` records from a position on, and the position behind them."""
        begin = max(position - self._trimmed, 0)
        found = self._records[begin : begin + limit]
        return found, self._trimmed + begin + len(found)

    def position_where(self, holds: Callable[[Record], bool]) -> int:
        """Return the position of the first record for which something holds; the end if there is none."""
        found = (i for i, record in enumerate(self._records) if holds(record))
        return self._trimmed + next(found, len(self._records))

    def described(self) -> dict[str, Any]:
        """Return the shard as the API shows it."""
        return {
            "ShardId": self.shard_id,
            "HashKeyRange": {"StartingHashKey": str(self._from()), "EndingHashKey": str(self._to())},
            "SequenceNumberRange": {"StartingSequenceNumber": str(self.first_sequence)},
        }

    def _from(self) -> int:
        return KEY_SPACE * self.index // self.of

    def _to(self) -> int:
        return KEY_SPACE * (self.index + 1) // self.of - 1
