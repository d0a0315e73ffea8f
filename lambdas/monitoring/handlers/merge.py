"""Merges what the parts of a large window have counted: the last step of the state machine that counts them.

It is invoked with ``{"bucket": ..., "folder": ..., "parts": <number>, "counts_key": ...}``.

Calls: s3 GetObject and PutObject below ``monitoring/``.
"""

from typing import Any

from lambdas.monitoring.adapters.s3 import S3Files
from lambdas.monitoring.merging import merge_parts
from lambdas.rollout.handlers.wiring import begin_long


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Merge; what is wrong fails the step, by name."""
    begin_long(context)
    counts = merge_parts(S3Files(), event["bucket"], event["folder"], int(event["parts"]), event["counts_key"])
    return {"requests": counts.requests, "rows": counts.rows}
