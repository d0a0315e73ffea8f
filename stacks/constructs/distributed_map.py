"""A map over a JSON list in S3, of any length, in the Amazon States Language."""

from collections.abc import Mapping
from typing import Any


def distributed_map(partition: str, label: str, key: str, start: str, states: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a state must say that runs `states`, from `start` on, for each entry of the list.

    Parameters
    ----------
    partition
        Of AWS, for the ARNs of integrations.
    label
        Part of the ARNs of what runs for the entries.
    key
        Path of the list's key in the input; that of its bucket is ``$.bucket``.
    """
    return {
        "Type": "Map",
        "Label": label,
        "ItemReader": {
            "Resource": f"arn:{partition}:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket.$": "$.bucket", "Key.$": key},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": start,
            "States": dict(states),
        },
    }
