"""Records of a stream as rows: a body as ``POST /predictions`` takes it, or one row or record by itself."""

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.inference.bodies import INSTANCES
from lambdas.inference.problems import Problem
from lambdas.inference.strict_json import loads


@dataclass(frozen=True)
class Source:
    """Where a record was.

    Parameters
    ----------
    stream, shard, sequence
        The stream's name, the shard's, and the record's sequence number.
    partition_key
        What put it into this shard.
    """

    stream: str
    shard: str
    sequence: str
    partition_key: str

    @property
    def id(self) -> str:
        """What its answer is known by: the same however often it is given."""
        return f"{self.stream}/{self.shard}:{self.sequence}"


@dataclass(frozen=True)
class Record:
    """A record.

    Parameters
    ----------
    source
        Where it was.
    data
        What is in it.
    """

    source: Source
    data: bytes

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Record":
        """Read a record of a Kinesis event source."""
        kinesis = event["kinesis"]
        stream = str(event["eventSourceARN"]).rpartition("/")[2]
        shard = str(event["eventID"]).partition(":")[0]
        source = Source(stream, shard, kinesis["sequenceNumber"], kinesis["partitionKey"])
        try:
            return cls(source, b64decode(kinesis["data"], validate=True))
        except binascii.Error:
            # Nothing that can be read; it is said when its rows are asked for.
            return cls(source, b"")


def rows_of(data: bytes, largest_bytes: int, most_rows: int) -> Sequence[Any]:
    """Return the rows of a record.

    Raises
    ------
    Problem
        When there are none, or too many for one request.
    """
    if len(data) > largest_bytes:
        raise Problem("too-large", f"the record has {len(data)} bytes; send at most {largest_bytes} in one")
    content = loads(data)
    rows = _rows(content)
    if len(rows) > most_rows:
        raise Problem("too-large", f"there are {len(rows)} rows in the record; send at most {most_rows} in one")
    return rows


def _rows(content: Any) -> list[Any]:
    if isinstance(content, dict) and INSTANCES in content:
        rows = content[INSTANCES]
        if not isinstance(rows, list) or not rows or len(content) > 1:
            raise Problem("invalid-input", f'the record is no {{"{INSTANCES}": [row, ...]}} with a row at least')
        return rows
    if isinstance(content, dict | list) and content:
        return [content]
    raise Problem("invalid-input", f'the record is neither a row, nor a record, nor {{"{INSTANCES}": [row, ...]}}')
