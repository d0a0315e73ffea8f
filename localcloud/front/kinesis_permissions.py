"""Permissions of Kinesis's operations, all of them on the stream."""

from localcloud.front.permissions import Need, Params, Rule, Scope, Table, anywhere
from localcloud.services.data_streams.iterators import Iterator

_BY_STREAM = (
    "PutRecord",
    "PutRecords",
    "GetShardIterator",
    "DescribeStream",
    "DescribeStreamSummary",
    "ListTagsForStream",
)


def _arn(params: Params, scope: Scope) -> str:
    return str(params.get("StreamARN") or scope.arn("kinesis", f"stream/{params['StreamName']}"))


def _on_stream(action: str) -> Rule:
    return lambda params, scope: [Need(f"kinesis:{action}", _arn(params, scope))]


def _get_records(params: Params, scope: Scope) -> list[Need]:
    """Return the permission on the stream of the token: an ARN beside it is only a hint."""
    stream = Iterator.of(params["ShardIterator"]).stream
    return [Need("kinesis:GetRecords", scope.arn("kinesis", f"stream/{stream}"))]


def _list_shards(params: Params, scope: Scope) -> list[Need]:
    token = str(params.get("NextToken") or "")
    given = {"StreamName": token.partition("|")[0]} if token else params
    return [Need("kinesis:ListShards", _arn(given, scope))]


KINESIS: Table = {
    **{f"kinesis:{name}": _on_stream(name) for name in _BY_STREAM},
    "kinesis:GetRecords": _get_records,
    "kinesis:ListShards": _list_shards,
    "kinesis:ListStreams": anywhere("kinesis:ListStreams"),
}
