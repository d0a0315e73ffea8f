"""Event source mappings of queues."""

from collections.abc import Callable
from typing import Any

from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Need
from localcloud.services.functions.event_source import EventSource, SourceSettings
from localcloud.services.functions.function import Function
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.source_kind import Params, invalid, refuse_parameters
from localcloud.services.queues import Queues

_UNSUPPORTED = ("FilterCriteria", "DestinationConfig", "StartingPosition", "ProvisionedPollerConfig", "KMSKeyArn")
_POLLER_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_RECEIVE_LIMIT = 10


class QueueMappings:
    """Checks mappings of queues and starts their pollers.

    Parameters
    ----------
    platform
        Keeps and runs functions.
    queues
        Where messages come from.
    authorizer
        Holds a function's role against what its poller does.
    """

    parameters: tuple[str, ...] = (
        "BatchSize",
        "MaximumBatchingWindowInSeconds",
        "FunctionResponseTypes",
        "ScalingConfig",
    )
    defaults: dict[str, Any] = {"BatchSize": 10}  # noqa: RUF012 - the protocol's form; it is never changed

    def __init__(self, platform: FunctionPlatform, queues: Queues, authorizer: Authorizer) -> None:
        self._platform = platform
        self._queues = queues
        self._authorizer = authorizer

    def check(self, params: Params, function: Function, arn: str) -> None:
        """Refuse what Lambda refuses, and what has no effect here."""
        refuse_parameters(params, _UNSUPPORTED)
        if not self._queues.exists(arn):
            raise invalid(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue."
            )
        refusal = self._role_refusal(function, arn)
        if refusal is not None:
            raise invalid(
                f"The provided execution role does not have permissions to call ReceiveMessage on SQS: {refusal}"
            )
        visibility = int(self._queues.attribute(arn, "VisibilityTimeout"))
        if visibility < function.timeout:
            times = f"{visibility} seconds is less than Function timeout: {function.timeout:g} seconds"
            raise invalid(f"Queue visibility timeout: {times}")
        if params.get("BatchSize", 0) > _RECEIVE_LIMIT and not params.get("MaximumBatchingWindowInSeconds"):
            raise invalid(
                f"Maximum batch window in seconds must be greater than 0 if batch size is above {_RECEIVE_LIMIT}"
            )

    def start(self, mapping: Params) -> EventSource:
        """Begin to poll a queue."""
        concurrency = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        settings = SourceSettings(
            mapping["EventSourceArn"],
            mapping["FunctionArn"],
            mapping["BatchSize"],
            float(mapping.get("MaximumBatchingWindowInSeconds", 0)),
            "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
            **({"concurrency": concurrency} if concurrency else {}),
        )
        return EventSource(settings, self._queues, self._platform.invoke, self._poller_refusal(settings))

    def forget(self, mapping: Params) -> None:
        """Drop nothing: what was read is the queue's to remember."""

    def _poller_refusal(self, settings: SourceSettings) -> Callable[[], str | None]:
        def refusal() -> str | None:
            function = self._platform.find(settings.function)
            if function is None:
                return "the function does not exist"
            return self._role_refusal(function, settings.queue_arn)

        return refusal

    def _role_refusal(self, function: Function, queue_arn: str) -> str | None:
        principal = self._platform.principal(function)
        needs = (Need(f"sqs:{action}", queue_arn) for action in _POLLER_ACTIONS)
        return next((r for need in needs if (r := self._authorizer.refusal(principal, need)) is not None), None)
