"""What asynchronous inference tells SNS topics.

The form is that of SageMaker's guide, "Check prediction results"; the optional request parameters are as real messages
show them. A failure's place is told as `failureLocation`.
"""

import json
from typing import Any

from localcloud.physics.backlog import QueuedRequest
from localcloud.physics.times import to_datetime

_REQUEST_PARAMETERS = {"Accept": "accept", "ContentType": "contentType", "CustomAttributes": "customAttributes"}


def success_message(request: QueuedRequest, endpoint: str, region: str, now: float, content_type: str) -> str:
    """Return the message of a request that was answered."""
    parts = {"responseParameters": {"contentType": content_type, "outputLocation": request.output_location}}
    return _message(request, endpoint, region, now, "Completed", parts)


def failure_message(request: QueuedRequest, endpoint: str, region: str, now: float, reason: str) -> str:
    """Return the message of a request that failed."""
    parts = {"failureReason": reason}
    if request.failure_location is not None:
        parts["failureLocation"] = request.failure_location
    return _message(request, endpoint, region, now, "Failed", parts)


def _message(request: QueuedRequest, endpoint: str, region: str, now: float, status: str, parts: dict[str, Any]) -> str:
    given = {told: request.asked[name] for name, told in _REQUEST_PARAMETERS.items() if request.asked.get(name)}
    message = {
        "awsRegion": region,
        "eventTime": _moment(now),
        "receivedTime": _moment(request.received_at),
        "invocationStatus": status,
        "requestParameters": {**given, "endpointName": endpoint, "inputLocation": request.asked["InputLocation"]},
        **parts,
        "inferenceId": request.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    return json.dumps(message)


def _moment(epoch: float) -> str:
    moment = to_datetime(epoch)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
