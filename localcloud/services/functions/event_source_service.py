"""Lambda's API for event source mappings."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.service import Service, operation
from localcloud.services.functions.function import Function
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.qualified import Qualified
from localcloud.services.functions.source_kind import Source, SourceKind

Params = Mapping[str, Any]


class EventSourceService(Service):
    """Mappings of queues and streams to functions, and their pollers.

    Parameters
    ----------
    platform
        Keeps functions.
    kinds
        The kinds of event sources, by the service in their ARNs.
    """

    name: ClassVar[str] = "lambda"

    def __init__(self, platform: FunctionPlatform, kinds: Mapping[str, SourceKind]) -> None:
        self._platform = platform
        self._kinds = kinds
        self._mappings: dict[str, dict[str, Any]] = {}
        self._sources: dict[str, Source] = {}

    @operation("CreateEventSourceMapping")
    def create_mapping(self, params: Params) -> dict[str, Any]:
        """Begin to poll a source for a function."""
        function = self._platform.get(params["FunctionName"])
        arn = params.get("EventSourceArn", "")
        kind = self._kind(arn)
        kind.check({**kind.defaults, **params}, function, arn)
        mapping = {
            **kind.defaults,
            "UUID": str(uuid.uuid4()),
            "EventSourceArn": arn,
            "FunctionArn": _qualified(function, params["FunctionName"]),
            "State": "Enabled" if params.get("Enabled", True) else "Disabled",
        }
        mapping["EventSourceMappingArn"] = (
            function.arn.split(":function:")[0] + f":event-source-mapping:{mapping['UUID']}"
        )
        return self._apply(mapping, params)

    @operation("UpdateEventSourceMapping")
    def update_mapping(self, params: Params) -> dict[str, Any]:
        """Change how a source is polled."""
        mapping = self._mapping(params["UUID"])
        name = params.get("FunctionName") or mapping["FunctionArn"]
        function, kind = self._platform.get(name), self._kind(mapping["EventSourceArn"])
        kept = {key: mapping[key] for key in kind.parameters if key in mapping}
        kind.check({**kept, **params}, function, mapping["EventSourceArn"])
        mapping["FunctionArn"] = _qualified(function, name)
        if "Enabled" in params:
            mapping["State"] = "Enabled" if params["Enabled"] else "Disabled"
        return self._apply(mapping, params)

    @operation("GetEventSourceMapping")
    def get_mapping(self, params: Params) -> dict[str, Any]:
        """Return a mapping."""
        return self._described(self._mapping(params["UUID"]))

    @operation("ListEventSourceMappings")
    def list_mappings(self, params: Params) -> dict[str, Any]:
        """Return the mappings of a function or source, or all."""
        name = params.get("FunctionName")
        arn = _qualified(self._platform.get(name), name) if name else None
        found = [
            self._described(mapping)
            for mapping in self._mappings.values()
            if arn in (None, mapping["FunctionArn"])
            and params.get("EventSourceArn") in (None, mapping["EventSourceArn"])
        ]
        return {"EventSourceMappings": found}

    @operation("DeleteEventSourceMapping")
    def delete_mapping(self, params: Params) -> dict[str, Any]:
        """Stop polling a source for a function."""
        mapping = self._mapping(params["UUID"])
        self._stop(mapping["UUID"])
        del self._mappings[mapping["UUID"]]
        self._kind(mapping["EventSourceArn"]).forget(mapping)
        return {**self._described(mapping), "State": "Deleting"}

    def stop(self) -> None:
        """Stop all pollers."""
        sources = list(self._sources.values())
        for source in sources:
            source.stop()
        for source in sources:
            source.join(1)

    def _kind(self, arn: str) -> SourceKind:
        kind = self._kinds.get((arn.split(":") + [""] * 3)[2])
        if kind is None:
            raise NotSimulatedError(f"event source {arn or 'without EventSourceArn'}")
        return kind

    def _mapping(self, mapping_id: str) -> dict[str, Any]:
        if mapping_id not in self._mappings:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
        return self._mappings[mapping_id]

    def _apply(self, mapping: dict[str, Any], params: Params) -> dict[str, Any]:
        kind = self._kind(mapping["EventSourceArn"])
        mapping.update({name: params[name] for name in kind.parameters if name in params})
        mapping["LastModified"] = datetime.now(UTC)
        self._mappings[mapping["UUID"]] = mapping
        self._stop(mapping["UUID"])
        if mapping["State"] == "Enabled":
            self._sources[mapping["UUID"]] = kind.start(mapping)
        return self._described(mapping)

    def _stop(self, mapping_id: str) -> None:
        source = self._sources.pop(mapping_id, None)
        if source is not None:
            source.stop()

    def _described(self, mapping: dict[str, Any]) -> dict[str, Any]:
        source = self._sources.get(mapping["UUID"])
        result = source.last_result if source is not None else "No records processed"
        return {**mapping, "LastProcessingResult": result, "StateTransitionReason": "USER_INITIATED"}


def _qualified(function: Function, name: str) -> str:
    """Return the ARN that a mapping invokes: an alias's or version's if it was given by one."""
    qualifier = Qualified.of(name).key
    return f"{function.arn}:{qualifier}" if qualifier else function.arn
