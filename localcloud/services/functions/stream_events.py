"""What Lambda makes of a data stream's records: the function's event, and the record of a batch that was given up."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from localcloud.services.data_streams.shard import Record
from localcloud.services.functions.invocation import Outcome

EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "RecordAgeExceeded"
_OVERHEAD_OF_A_RECORD = 600


def event(records: Sequence[Record], shard_id: str, stream_arn: str, role: str) -> bytes:
    """Return the event that carries records."""
    return json.dumps({"Records": [_entry(record, shard_id, stream_arn, role) for record in records]}).encode()


def size_in_event(record: Record) -> int:
    """Return about how many bytes of an event a record takes."""
    return len(record.data) * 4 // 3 + len(record.partition_key) + _OVERHEAD_OF_A_RECORD


def _entry(record: Record, shard_id: str, stream_arn: str, role: str) -> dict[str, Any]:
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record.partition_key,
            "sequenceNumber": str(record.sequence),
            "data": base64.b64encode(record.data).decode(),
            "approximateArrivalTimestamp": round(record.arrived_at, 3),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{record.sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role,
        "awsRegion": stream_arn.split(":")[3],
        "eventSourceARN": stream_arn,
    }


def given_up(
    records: Sequence[Record],
    shard_id: str,
    stream_arn: str,
    function_arn: str,
    condition: str,
    invocations: int,
    last: tuple[Outcome, str] | None,
) -> str:
    """Return what the on-failure destination gets: where the records are in the stream, not the records."""
    request = {
        "requestId": last[1] if last else "",
        "functionArn": function_arn,
        "condition": condition,
        "approximateInvokeCount": invocations,
    }
    response = {"responseContext": _response(last[0])} if last else {}
    info = {
        "shardId": shard_id,
        "startSequenceNumber": str(records[0].sequence),
        "endSequenceNumber": str(records[-1].sequence),
        "approximateArrivalOfFirstRecord": _time(records[0].arrived_at),
        "approximateArrivalOfLastRecord": _time(records[-1].arrived_at),
        "batchSize": len(records),
        "streamArn": stream_arn,
    }
    now = _time(datetime.now(UTC).timestamp())
    return json.dumps(
        {"requestContext": request, **response, "version": "1.0", "timestamp": now, "KinesisBatchInfo": info}
    )


def _response(outcome: Outcome) -> dict[str, Any]:
    failed = {"functionError": outcome.error} if outcome.error else {}
    return {"statusCode": 200, "executedVersion": "$LATEST", **failed}


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
