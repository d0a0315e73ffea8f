"""The API of data streams: what concerns records and shards."""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.credentials import current_principal
from localcloud.errors import AwsError, NotSimulatedError
from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Need, Scope
from localcloud.service import Service, operation
from localcloud.services.data_streams.data_stream import DataStream, DataStreams
from localcloud.services.data_streams.iterators import Iterator, position_of
from localcloud.services.data_streams.shard import Record
from localcloud.services.functions.log_shipper import MetricSink

Params = Mapping[str, Any]
LARGEST_RECORD = 1024 * 1024
LARGEST_REQUEST = 10 * 1024 * 1024
_MOST_BYTES_READ = 10 * 1024 * 1024
_MOST_RECORDS_READ = 10_000
_AWS_KEY = "alias/aws/kinesis"


def stream_of(streams: DataStreams, params: Params, account: str) -> DataStream:
    """Return the stream that a request names, by name or ARN."""
    name = str(params.get("StreamARN") or params.get("StreamName") or "")
    if not name:
        raise AwsError("InvalidArgumentException", "one of StreamName and StreamARN is required")
    found = streams.find(name)
    if found is None:
        message = f"Stream {name.rpartition('/')[2]} under account {account} not found."
        raise AwsError("ResourceNotFoundException", message)
    return found


class KinesisService(Service):
    """Puts and reads records.

    Parameters
    ----------
    streams
        The streams.
    scope
        Account and region.
    authorizer
        Tells whether a caller may use a stream's key.
    metrics
        Takes the metrics of the namespace AWS/Kinesis.
    """

    name: ClassVar[str] = "kinesis"

    def __init__(self, streams: DataStreams, scope: Scope, authorizer: Authorizer, metrics: MetricSink) -> None:
        self._streams = streams
        self._scope = scope
        self._authorizer = authorizer
        self._metrics = metrics

    @operation("PutRecord")
    def put(self, params: Params) -> dict[str, Any]:
        """Take a record."""
        stream = self._opened(params, "kms:GenerateDataKey")
        _check_sizes([params])
        return {**self._kept(stream, params), "EncryptionType": stream.encryption()["EncryptionType"]}

    @operation("PutRecords")
    def put_many(self, params: Params) -> dict[str, Any]:
        """Take records, all of them."""
        stream = self._opened(params, "kms:GenerateDataKey")
        _check_sizes(params["Records"])
        kept = [self._kept(stream, entry) for entry in params["Records"]]
        return {"FailedRecordCount": 0, "Records": kept, "EncryptionType": stream.encryption()["EncryptionType"]}

    @operation("GetShardIterator")
    def iterator(self, params: Params) -> dict[str, Any]:
        """Return a token from which reading begins."""
        stream = stream_of(self._streams, params, self._scope.account)
        shard = stream.shard(params["ShardId"])
        place = Iterator(stream.name, shard.shard_id, position_of(shard, params), time.time())
        return {"ShardIterator": place.token()}

    @operation("GetRecords")
    def read(self, params: Params) -> dict[str, Any]:
        """Return records from a token on, and the next token."""
        place = Iterator.of(params["ShardIterator"])
        place.check()
        stream = self._opened({"StreamName": place.stream}, "kms:Decrypt")
        shard = stream.shard(place.shard)
        limit = int(params.get("Limit") or _MOST_RECORDS_READ)
        records, after = self._streams.read(stream, shard, place.position, limit)
        fitting = _fitting(records)
        after -= len(records) - len(fitting)
        behind = _behind(fitting[-1]) if fitting and after < shard.end else 0
        following = Iterator(stream.name, shard.shard_id, after, time.time())
        self._count(stream, "GetRecords.IteratorAgeMilliseconds", behind, "Milliseconds")
        return {
            "Records": [_shown(record, stream) for record in fitting],
            "NextShardIterator": following.token(),
            "MillisBehindLatest": behind,
        }

    @operation("DescribeStream")
    def describe(self, params: Params) -> dict[str, Any]:
        """Return what is known of a stream, and its shards."""
        stream = stream_of(self._streams, params, self._scope.account)
        shards, more = _page(stream, params.get("ExclusiveStartShardId"), params.get("Limit") or 100)
        return {"StreamDescription": {**stream.described(), "Shards": shards, "HasMoreShards": more}}

    @operation("DescribeStreamSummary")
    def summarise(self, params: Params) -> dict[str, Any]:
        """Return what is known of a stream, without its shards."""
        stream = stream_of(self._streams, params, self._scope.account)
        numbers = {"OpenShardCount": len(stream.shards), "ConsumerCount": 0}
        return {"StreamDescriptionSummary": {**stream.described(), **numbers}}

    @operation("ListShards")
    def list_shards(self, params: Params) -> dict[str, Any]:
        """Return a stream's shards; a next token is the stream's name and the last shard's."""
        name, _, last = str(params.get("NextToken") or "").partition("|")
        if params.get("ShardFilter"):
            raise NotSimulatedError("the parameter ListShards.ShardFilter")
        stream = stream_of(self._streams, {"StreamName": name} if name else params, self._scope.account)
        after = last or params.get("ExclusiveStartShardId")
        shards, more = _page(stream, after, params.get("MaxResults") or 1000)
        return {"Shards": shards, **({"NextToken": f"{stream.name}|{shards[-1]['ShardId']}"} if more else {})}

    def _opened(self, params: Params, action: str) -> DataStream:
        """Return a stream whose key the caller may use."""
        stream = stream_of(self._streams, params, self._scope.account)
        principal = current_principal.get(None)
        if stream.key and stream.key != _AWS_KEY and principal is not None and not principal.is_admin:
            refusal = self._authorizer.refusal(principal, key_need(action, stream.key, self._scope))
            if refusal is not None:
                raise AwsError("KMSAccessDeniedException", refusal)
        return stream

    def _kept(self, stream: DataStream, entry: Params) -> dict[str, Any]:
        data = entry["Data"]
        shard_id, record = self._streams.put(stream, entry["PartitionKey"], entry.get("ExplicitHashKey"), data)
        self._count(stream, "IncomingRecords", 1, "Count")
        self._count(stream, "IncomingBytes", len(data), "Bytes")
        return {"ShardId": shard_id, "SequenceNumber": str(record.sequence)}

    def _count(self, stream: DataStream, metric: str, value: float, unit: str) -> None:
        self._metrics("AWS/Kinesis", metric, {"StreamName": stream.name}, value, unit, time.time())


def key_need(action: str, key: str, scope: Scope) -> Need:
    """Return the permission to use a stream's key."""
    via: dict[str, str | list[str]] = {
        "kms:viaservice": f"kinesis.{scope.region}.amazonaws.com",
        "kms:calleraccount": scope.account,
    }
    kind = "" if key.startswith("alias/") else "key/"
    return Need(action, key if key.startswith("arn:") else scope.arn("kms", kind + key), via)


def _check_sizes(entries: list[Params] | Any) -> None:
    sizes = [len(entry["Data"]) + len(entry["PartitionKey"].encode()) for entry in entries]
    if max(sizes) > LARGEST_RECORD:
        message = f"a record of {max(sizes)} bytes with its key; allowed are {LARGEST_RECORD}"
        raise AwsError("InvalidArgumentException", message)
    if sum(sizes) > LARGEST_REQUEST:
        raise AwsError("InvalidArgumentException", f"records of {sum(sizes)} bytes; allowed are {LARGEST_REQUEST}")


def _fitting(records: Any) -> list[Record]:
    """Return the first of the records, up to the bytes that one answer carries."""
    found, size = list[Record](), 0
    for record in records:
        size += len(record.data)
        if found and size > _MOST_BYTES_READ:
            break
        found.append(record)
    return found


def _behind(record: Record) -> int:
    return int((time.time() - record.arrived_at) * 1000)


def _shown(record: Record, stream: DataStream) -> dict[str, Any]:
    return {
        "SequenceNumber": str(record.sequence),
        "ApproximateArrivalTimestamp": record.arrived_at,
        "Data": record.data,
        "PartitionKey": record.partition_key,
        "EncryptionType": stream.encryption()["EncryptionType"],
    }


def _page(stream: DataStream, after: str | None, most: int) -> tuple[list[dict[str, Any]], bool]:
    left = [shard for shard in stream.shards if after is None or shard.shard_id > after]
    return [shard.described() for shard in left[:most]], len(left) > most
