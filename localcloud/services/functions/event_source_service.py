"""Lambda's API for event source mappings."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Need
from localcloud.service import Service, operation
from localcloud.services.functions.event_source import EventSource, SourceSettings
from localcloud.services.functions.function import Function
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.queues import Queues

Params = Mapping[str, Any]
_UNSUPPORTED = ("FilterCriteria", "DestinationConfig", "StartingPosition", "ProvisionedPollerConfig", "KMSKeyArn")
_KEPT = ("BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes", "ScalingConfig")
_POLLER_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")


class EventSourceService(Service):
    """Mappings of queues to functions, and their pollers.

    Parameters
    ----------
    platform
        Keeps and runs functions.
    queues
        Where messages come from.
    authorizer
        Holds a function's role against what its poller does.
    """

    name: ClassVar[str] = "lambda"

    def __init__(self, platform: FunctionPlatform, queues: Queues, authorizer: Authorizer) -> None:
        self._platform = platform
        self._queues = queues
        self._authorizer = authorizer
        self._mappings: dict[str, dict[str, Any]] = {}
        self._sources: dict[str, EventSource] = {}

    @operation("CreateEventSourceMapping")
    def create_mapping(self, params: Params) -> dict[str, Any]:
        """Begin to poll a queue for a function."""
        function = self._platform.get(params["FunctionName"])
        queue_arn = params.get("EventSourceArn", "")
        self._check(params, function, queue_arn)
        mapping = {"UUID": str(uuid.uuid4()), "EventSourceArn": queue_arn, "FunctionArn": function.arn, "BatchSize": 10}
        mapping["EventSourceMappingArn"] = (
            function.arn.split(":function:")[0] + f":event-source-mapping:{mapping['UUID']}"
        )
        mapping["State"] = "Enabled" if params.get("Enabled", True) else "Disabled"
        return self._apply(mapping, params)

    @operation("UpdateEventSourceMapping")
    def update_mapping(self, params: Params) -> dict[str, Any]:
        """Change how a queue is polled."""
        mapping = self._mapping(params["UUID"])
        if params.get("FunctionName"):
            mapping["FunctionArn"] = self._platform.get(params["FunctionName"]).arn
        self._check(params, self._platform.get(mapping["FunctionArn"]), mapping["EventSourceArn"])
        if "Enabled" in params:
            mapping["State"] = "Enabled" if params["Enabled"] else "Disabled"
        return self._apply(mapping, params)

    @operation("GetEventSourceMapping")
    def get_mapping(self, params: Params) -> dict[str, Any]:
        """Return a mapping."""
        return self._described(self._mapping(params["UUID"]))

    @operation("ListEventSourceMappings")
    def list_mappings(self, params: Params) -> dict[str, Any]:
        """Return the mappings of a function or queue, or all."""
        arn = self._platform.get(params["FunctionName"]).arn if params.get("FunctionName") else None
        found = [
            self._described(mapping)
            for mapping in self._mappings.values()
            if arn in (None, mapping["FunctionArn"])
            and params.get("EventSourceArn") in (None, mapping["EventSourceArn"])
        ]
        return {"EventSourceMappings": found}

    @operation("DeleteEventSourceMapping")
    def delete_mapping(self, params: Params) -> dict[str, Any]:
        """Stop polling a queue for a function."""
        mapping = self._mapping(params["UUID"])
        self._stop(mapping["UUID"])
        del self._mappings[mapping["UUID"]]
        return {**self._described(mapping), "State": "Deleting"}

    def stop(self) -> None:
        """Stop all pollers."""
        sources = list(self._sources.values())
        for source in sources:
            source.stop()
        for source in sources:
            source.join(1)

    def _mapping(self, mapping_id: str) -> dict[str, Any]:
        if mapping_id not in self._mappings:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
        return self._mappings[mapping_id]

    def _apply(self, mapping: dict[str, Any], params: Params) -> dict[str, Any]:
        mapping.update({name: params[name] for name in _KEPT if name in params})
        mapping["LastModified"] = datetime.now(UTC)
        self._mappings[mapping["UUID"]] = mapping
        self._stop(mapping["UUID"])
        if mapping["State"] == "Enabled":
            self._sources[mapping["UUID"]] = self._source(mapping)
        return self._described(mapping)

    def _stop(self, mapping_id: str) -> None:
        source = self._sources.pop(mapping_id, None)
        if source is not None:
            source.stop()

    def _source(self, mapping: Params) -> EventSource:
        function_arn, queue_arn = mapping["FunctionArn"], mapping["EventSourceArn"]
        concurrency = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        settings = SourceSettings(
            queue_arn,
            function_arn,
            mapping["BatchSize"],
            float(mapping.get("MaximumBatchingWindowInSeconds", 0)),
            "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
            **({"concurrency": concurrency} if concurrency else {}),
        )
        return EventSource(
            settings, self._queues, self._platform.invoke, lambda: self._poller_refusal(function_arn, queue_arn)
        )

    def _poller_refusal(self, function_arn: str, queue_arn: str) -> str | None:
        function = self._platform.functions.get(function_arn.rsplit(":", 1)[-1])
        return self._role_refusal(function, queue_arn) if function is not None else "the function does not exist"

    def _role_refusal(self, function: Function, queue_arn: str) -> str | None:
        principal = self._platform.principal(function)
        needs = (Need(f"sqs:{action}", queue_arn) for action in _POLLER_ACTIONS)
        return next((r for need in needs if (r := self._authorizer.refusal(principal, need)) is not None), None)

    def _described(self, mapping: dict[str, Any]) -> dict[str, Any]:
        source = self._sources.get(mapping["UUID"])
        result = source.last_result if source is not None else "No records processed"
        return {**mapping, "LastProcessingResult": result, "StateTransitionReason": "USER_INITIATED"}

    def _check(self, params: Params, function: Function, queue_arn: str) -> None:
        """Refuse what Lambda refuses, and what has no effect here."""
        for name in _UNSUPPORTED:
            if params.get(name):
                raise NotSimulatedError(f"event source mapping parameter {name}")
        if queue_arn.split(":")[2:3] != ["sqs"]:
            raise NotSimulatedError(f"event source {queue_arn or 'without EventSourceArn'}")
        if not self._queues.exists(queue_arn):
            raise _invalid(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue."
            )
        refusal = self._role_refusal(function, queue_arn)
        if refusal is not None:
            raise _invalid(
                f"The provided execution role does not have permissions to call ReceiveMessage on SQS: {refusal}"
            )
        visibility = int(self._queues.attribute(queue_arn, "VisibilityTimeout"))
        if visibility < function.timeout:
            times = f"{visibility} seconds is less than Function timeout: {function.timeout:g} seconds"
            raise _invalid(f"Queue visibility timeout: {times}")
        if params.get("BatchSize", 0) > _RECEIVE_LIMIT and not params.get("MaximumBatchingWindowInSeconds"):
            raise _invalid(
                f"Maximum batch window in seconds must be greater than 0 if batch size is above {_RECEIVE_LIMIT}"
            )


_RECEIVE_LIMIT = 10


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)
