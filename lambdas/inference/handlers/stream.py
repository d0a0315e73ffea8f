"""Answers the records of a Kinesis stream, and writes the answers to another.

Its event source must report single failures (ReportBatchItemFailures): what it returns is the first record that is to
come again, with all behind it. It must also bisect (BisectBatchOnFunctionError): where none of several records was
answered the function fails, for only then is it documented that a batch is halved. See `lambdas.inference.streaming`
for what readers of the answers can rely on.

Calls: kinesis PutRecords on the stream of answers; and what `predict` calls for a prediction.
"""

import time
from collections.abc import Mapping
from typing import Any

from lambdas.inference.adapters.kinesis import KinesisResults
from lambdas.inference.adapters.runtime import runtime_client
from lambdas.inference.handlers.times import TimeLeft
from lambdas.inference.handlers.wiring import log_of, real_ports
from lambdas.inference.settings import front_door
from lambdas.inference.streaming.asking import EndpointModel
from lambdas.inference.streaming.batching import Limits
from lambdas.inference.streaming.ports import World
from lambdas.inference.streaming.records import Record
from lambdas.inference.streaming.taking import Taking
from lambdas.inference.unattended import Unattended

_OTHER_CALLS_SECONDS = 10.0
"""What a request needs beside the model's time: that its answers are written."""

_settings = front_door()
_log = log_of(_settings, "stream")
_ports = real_ports(_settings, runtime_client(_settings.timeout_seconds), _log)
_left = TimeLeft()
_taking = Taking(
    World(
        model=EndpointModel(Unattended(_settings, _ports, _left), _ports),
        results=KinesisResults(time.sleep, _log.warning),
        left=_left,
        pause=time.sleep,
        warn=_log.warning,
    ),
    Limits(rows=_settings.most_rows, bytes=_settings.largest_body_bytes),
    needed=_settings.timeout_seconds + _OTHER_CALLS_SECONDS,
)


class NothingAnsweredError(Exception):
    """No record of a batch was answered, and half of it may do better."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer a batch of records; return the first that is to come again.

    Raises
    ------
    NothingAnsweredError
        When that is the first of several.
    """
    _log.bind(request=str(getattr(context, "aws_request_id", "")))
    _left.start(context)
    records = [Record.of(each) for each in event["Records"]]
    again = _taking.take(records)
    if len(records) > 1 and again == records[0].source.sequence:
        raise NothingAnsweredError(f"none of {len(records)} records from {records[0].source.id} could be answered")
    return {"batchItemFailures": [] if again is None else [{"itemIdentifier": again}]}
