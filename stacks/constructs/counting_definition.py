"""How a window that is too large for one machine is counted, in the Amazon States Language.

The input is what `lambdas.monitoring.executions` starts an execution with: ``bucket``, ``parts_key`` (a JSON list of
requests for Processing jobs), ``parallel_jobs``, and for the merge ``folder``, ``parts`` and ``counts_key``.

A part is counted by a Processing job, not by a function: the job's image, role and program are there already, it counts
an order of magnitude faster than the Python of a function, it may hold a part of any size on its disk, and no file is
too large for the fifteen minutes that a function has. A job's start costs minutes, which is nothing to such a window.
"""

from typing import Any

from stacks.constructs.distributed_map import distributed_map

MAP_LABEL = "Parts"
"""Part of the ARNs of what runs for the parts."""

MOST_HOURS = 12
_HOUR = 3600

_THROTTLED = ("SageMaker.AmazonSageMakerException", "SageMaker.ResourceLimitExceededException", "ThrottlingException")
"""The first is any refusal by SageMaker's API, among them that too many calls are made, or too many jobs run."""

_TRANSIENT = (
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "RetryableError",
    "TimedOutError",
)
"""What Lambda may answer when all is well with the function, and the function's own names for AWS's bad moments."""

_JOB_FIELDS = (
    "AppSpecification",
    "NetworkConfig",
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "RoleArn",
    "StoppingCondition",
    "Tags",
)


def counting_definition(partition: str, merge_arn: str) -> dict[str, Any]:
    """Return the definition.

    Parameters
    ----------
    partition
        Of AWS, for the ARNs of integrations.
    merge_arn
        Function that merges what the parts have counted.
    """
    return {
        "Comment": "Counts the parts of a window side by side, and merges what they held",
        "TimeoutSeconds": MOST_HOURS * _HOUR,
        "StartAt": "CountParts",
        "States": {"CountParts": _count_parts(partition), "Merge": _merge(partition, merge_arn)},
    }


def _count_parts(partition: str) -> dict[str, Any]:
    return {
        **distributed_map(partition, MAP_LABEL, "$.parts_key", "CountPart", {"CountPart": _count_part(partition)}),
        "MaxConcurrencyPath": "$.parallel_jobs",
        "ToleratedFailureCount": 0,
        "ResultPath": "$.counted",
        "Next": "Merge",
    }


def _count_part(partition: str) -> dict[str, Any]:
    """Return the state that runs a part's job, under another name at each attempt: SageMaker takes none twice."""
    name = "States.Format('{}-{}', $.ProcessingJobName, $$.State.RetryCount)"
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::sagemaker:createProcessingJob.sync",
        "Parameters": {"ProcessingJobName.$": name, **{f"{field}.$": f"$.{field}" for field in _JOB_FIELDS}},
        # All parts' results together must fit into 256 KiB.
        "ResultSelector": {"job.$": "$.ProcessingJobName"},
        "Retry": [
            {
                "ErrorEquals": list(_THROTTLED),
                "IntervalSeconds": 30,
                "MaxAttempts": 5,
                "BackoffRate": 2,
                "JitterStrategy": "FULL",
            },
            # A machine may be lost. What a second one fails at as well is the part's fault.
            {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 10, "MaxAttempts": 1},
        ],
        "End": True,
    }


def _merge(partition: str, function_arn: str) -> dict[str, Any]:
    told = ("bucket", "folder", "parts", "counts_key")
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::lambda:invoke",
        "Parameters": {"FunctionName": function_arn, "Payload": {f"{name}.$": f"$.{name}" for name in told}},
        "OutputPath": "$.Payload",
        "Retry": [{"ErrorEquals": list(_TRANSIENT), "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 2}],
        "End": True,
    }
