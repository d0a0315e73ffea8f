"""The API of data streams: making, changing and deleting them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.errors import AwsError
from localcloud.front.permissions import Scope
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, OneOf, refuse_others
from localcloud.services.data_streams.data_stream import DataStream, DataStreams, shards_of
from localcloud.services.data_streams.kinesis_service import stream_of

Params = Mapping[str, Any]
LONGEST_RETENTION_HOURS = 8760
_ACCEPTED: dict[str, Any] = {
    "StreamName": ANY,
    "ShardCount": ANY,
    "StreamModeDetails": {"StreamMode": OneOf("PROVISIONED", "ON_DEMAND")},
    "MaxRecordSizeInKiB": OneOf(1024),
    "Tags": ANY,
}


class StreamSettingsService(Service):
    """Makes, lists, changes and deletes streams.

    Parameters
    ----------
    streams
        The streams.
    scope
        Account and region.
    """

    name: ClassVar[str] = "kinesis"

    def __init__(self, streams: DataStreams, scope: Scope) -> None:
        self._streams = streams
        self._scope = scope

    @operation("CreateStream")
    def create(self, params: Params) -> None:
        """Make a stream, which is active at once."""
        refuse_others("CreateStream", params, _ACCEPTED)
        mode, shards = shards_of(params)
        name = params["StreamName"]
        stream = DataStream(name, self._scope.arn("kinesis", f"stream/{name}"), mode, shards)
        stream.tags.update(params.get("Tags") or {})
        self._streams.add(stream)

    @operation("DeleteStream")
    def delete(self, params: Params) -> None:
        """Delete a stream and what is in it."""
        self._streams.remove(self._stream(params).name)

    @operation("ListStreams")
    def listed(self, params: Params) -> dict[str, Any]:
        """Return the streams' names; the next token is the last name."""
        after = params.get("NextToken") or params.get("ExclusiveStartStreamName") or ""
        names, most = [name for name in self._streams.names() if name > after], params.get("Limit") or 100
        more = len(names) > most
        return {
            "StreamNames": names[:most],
            "HasMoreStreams": more,
            "StreamSummaries": [self._summary(name) for name in names[:most]],
            **({"NextToken": names[most - 1]} if more else {}),
        }

    @operation("IncreaseStreamRetentionPeriod")
    def keep_longer(self, params: Params) -> None:
        """Keep records for longer."""
        stream, hours = self._stream(params), params["RetentionPeriodHours"]
        if not stream.retention_hours <= hours <= LONGEST_RETENTION_HOURS:
            raise _bad_retention(hours, stream.retention_hours, LONGEST_RETENTION_HOURS)
        stream.retention_hours = hours

    @operation("DecreaseStreamRetentionPeriod")
    def keep_shorter(self, params: Params) -> None:
        """Keep records for a shorter time."""
        stream, hours = self._stream(params), params["RetentionPeriodHours"]
        if not 24 <= hours <= stream.retention_hours:
            raise _bad_retention(hours, 24, stream.retention_hours)
        stream.retention_hours = hours

    @operation("StartStreamEncryption")
    def encrypt(self, params: Params) -> None:
        """Guard a stream by a key."""
        self._stream(params).key = params["KeyId"]

    @operation("StopStreamEncryption")
    def decrypt(self, params: Params) -> None:
        """Guard a stream no longer."""
        self._stream(params).key = ""

    @operation("AddTagsToStream")
    def tag(self, params: Params) -> None:
        """Set tags."""
        self._stream(params).tags.update(params["Tags"])

    @operation("RemoveTagsFromStream")
    def untag(self, params: Params) -> None:
        """Remove tags."""
        tags = self._stream(params).tags
        for key in params["TagKeys"]:
            tags.pop(key, None)

    @operation("ListTagsForStream")
    def tags(self, params: Params) -> dict[str, Any]:
        """Return a stream's tags."""
        tags = self._stream(params).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()], "HasMoreTags": False}

    def _stream(self, params: Params) -> DataStream:
        return stream_of(self._streams, params, self._scope.account)

    def _summary(self, name: str) -> dict[str, Any]:
        described = self._stream({"StreamName": name}).described()
        names = ("StreamName", "StreamARN", "StreamStatus", "StreamModeDetails", "StreamCreationTimestamp")
        return {key: described[key] for key in names}


def _bad_retention(hours: int, least: int, most: int) -> AwsError:
    message = f"RetentionPeriodHours {hours} is out of range: it must be {least} to {most} here"
    return AwsError("InvalidArgumentException", message)
