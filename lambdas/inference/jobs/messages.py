"""What the queue's messages say: which job, and nothing of what is in it.

Beside our own there are those of SageMaker, which tells of what an asynchronous endpoint has answered:
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.contract import endpoint_of_jobs

_LONGEST = 256
_BETWEEN = "-"
"""Between a job and its attempt; ids of jobs have hexadecimal digits only."""

_SAGEMAKER, _RESULT, _FAILED = "aws:sagemaker", "InferenceResult", "Failed"
_NO_REASON = "SageMaker does not say why"


class UnreadableMessageError(Exception):
    """A message that no function of ours has sent; it says what is wrong with it."""


class NoJobError(UnreadableMessageError):
    """A message of SageMaker's that is about no job, such as its test whenever the endpoint is made or changed."""


@dataclass(frozen=True)
class Message:
    """Which job is meant.

    Parameters
    ----------
    endpoint, job
        The job.
    attempt
        The attempt that SageMaker tells of; 0 where it is not SageMaker who speaks.
    failure
        Why there is no answer to it; empty where there is one.
    output, left
        URIs of its answer, and of what was left in the place of one, as far as SageMaker names them.
    """

    endpoint: str
    job: str
    attempt: int = 0
    failure: str = ""
    output: str = ""
    left: str = ""

    def text(self) -> str:
        """Return it as it is sent."""
        return json.dumps({"endpoint": self.endpoint, "job": self.job})


def inference_id(job: str, attempt: int) -> str:
    """Return what an asynchronous endpoint calls an attempt."""
    return f"{job}{_BETWEEN}{attempt}"


def read(text: str) -> Message:
    """Read a message.

    Raises
    ------
    UnreadableMessageError
        When it names no job; `NoJobError` where none need be.
    """
    try:
        fields = json.loads(text)
        message = (
            _told(fields) if fields.get("eventSource") == _SAGEMAKER else Message(fields["endpoint"], fields["job"])
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableMessageError('the message is not {"endpoint": ..., "job": ...}') from error
    if not all(isinstance(each, str) and 0 < len(each) <= _LONGEST for each in (message.endpoint, message.job)):
        raise UnreadableMessageError(f"endpoint and job must be text of 1 to {_LONGEST} characters")
    return message


def _told(fields: Mapping[str, Any]) -> Message:
    if fields["eventName"] != _RESULT:
        raise NoJobError(f"SageMaker tells of {fields['eventName']}, and of no job")
    job, _, attempt = fields["inferenceId"].rpartition(_BETWEEN)
    endpoint = endpoint_of_jobs(fields["requestParameters"]["endpointName"])
    failed = fields["invocationStatus"] == _FAILED
    return Message(
        endpoint,
        job,
        int(attempt),
        failure=str(fields.get("failureReason") or _NO_REASON) if failed else "",
        output="" if failed else str(fields.get("responseParameters", {}).get("outputLocation", "")),
        left=str(fields.get("failureLocation", "")),
    )
