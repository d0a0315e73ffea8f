"""How the answers of a batch are put under their keys, in the Amazon States Language.

The input is what `lambdas.inference.batch.doing` starts an execution with: ``bucket`` and ``key`` of a JSON list of
`lambdas.inference.batch.loading.Task`, one for each answer file that is not loaded to its end. A function loads a
stretch of a file and answers with the task that goes on behind it, so that no file is too large for it.

That one file cannot be loaded keeps none of the others: what is left is told by what the function has written down, and
the batch begins another execution for that.
"""

from typing import Any

from stacks.constructs.distributed_map import distributed_map

MAP_LABEL = "Files"
"""Part of the ARNs of what runs for the files."""

MOST_HOURS = 12
AT_A_TIME = 8
"""Files; as many functions write to the table at a time."""

_HOUR = 3600
_FAILED = "States.ALL"


def loading_definition(partition: str, load_arn: str) -> dict[str, Any]:
    """Return the definition.

    Parameters
    ----------
    partition
        Of AWS, for the ARNs of integrations.
    load_arn
        Function that loads a stretch of a file.
    """
    return {
        "Comment": "Puts the answers of a batch under their keys, file by file",
        "TimeoutSeconds": MOST_HOURS * _HOUR,
        "StartAt": "LoadFiles",
        "States": {"LoadFiles": _load_files(partition, load_arn)},
    }


def _load_files(partition: str, load_arn: str) -> dict[str, Any]:
    states = {
        "Load": _load(partition, load_arn),
        "IsLoaded": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.done", "BooleanEquals": True, "Next": "Loaded"}],
            "Default": "Load",
        },
        # All files' results together must fit into 256 KiB, and nobody reads them.
        "Loaded": {"Type": "Succeed", "OutputPath": None},
    }
    return {
        **distributed_map(partition, MAP_LABEL, "$.key", "Load", states),
        "MaxConcurrency": AT_A_TIME,
        "ToleratedFailurePercentage": 100,
        "ResultPath": None,
        "End": True,
    }


def _load(partition: str, load_arn: str) -> dict[str, Any]:
    """Return the state that loads a stretch; one that failed, or was killed, is begun again where it began."""
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::lambda:invoke",
        "Parameters": {"FunctionName": load_arn, "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "Retry": [
            {
                "ErrorEquals": [_FAILED],
                "IntervalSeconds": 2,
                "MaxAttempts": 6,
                "BackoffRate": 2,
                "MaxDelaySeconds": 60,
                "JitterStrategy": "FULL",
            }
        ],
        "Next": "IsLoaded",
    }
