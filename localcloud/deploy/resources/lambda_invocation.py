"""AWS::Lambda: who may invoke a function, what invokes it, and how often it is tried."""

from typing import ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.lambda_function import GONE
from localcloud.deploy.resources.shape import only, without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_map

_SETTLE_TIMEOUT = 60.0
_OF_THE_START = ("EventSourceArn", "StartingPosition", "StartingPositionTimestamp")


class Permission(ResourceType):
    """A statement of a function's resource policy."""

    name: ClassVar[str] = "AWS::Lambda::Permission"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "Principal", "PrincipalOrgID",
         "SourceAccount", "SourceArn"}
    )  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset({"Action", "FunctionName", "Principal"})
    replaced_by: ClassVar[frozenset[str]] = handled
    attributes: ClassVar[frozenset[str]] = frozenset({"Id"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Add the statement."""
        statement = scope.name(100)
        scope.call("lambda", "AddPermission", StatementId=statement, **desired)
        return Made(statement, {"Id": statement})

    def update(self, _scope: Scope, made: Made, _old: Properties, _new: Properties) -> Made:
        """Change nothing: every property makes a new statement."""
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Remove the statement."""
        with ignoring(GONE):
            function = properties["FunctionName"]
            scope.call("lambda", "RemovePermission", FunctionName=function, StatementId=made.physical_id)


class EventSourceMapping(ResourceType):
    """A queue or stream that a function reads from."""

    name: ClassVar[str] = "AWS::Lambda::EventSourceMapping"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"BatchSize", "BisectBatchOnFunctionError", "DestinationConfig", "Enabled", "EventSourceArn", "FilterCriteria",
         "FunctionName", "FunctionResponseTypes", "KmsKeyArn", "MaximumBatchingWindowInSeconds",
         "MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "MetricsConfig", "ParallelizationFactor",
         "ScalingConfig", "StartingPosition", "StartingPositionTimestamp", "Tags", "TumblingWindowInSeconds"}
    )  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset({"FunctionName"})
    replaced_by: ClassVar[frozenset[str]] = frozenset(_OF_THE_START)
    attributes: ClassVar[frozenset[str]] = frozenset({"EventSourceMappingArn", "Id"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the mapping and wait until it polls."""
        tags = tag_map(desired.get("Tags")) or None
        answer = scope.call("lambda", "CreateEventSourceMapping", Tags=tags, **without(desired, "Tags"))
        identifier = answer["UUID"]
        arn = answer.get("EventSourceMappingArn", scope.arn("lambda", f"event-source-mapping:{identifier}"))
        made = scope.note(identifier, EventSourceMappingArn=arn, Id=identifier)
        _settle(scope, identifier)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Update the mapping."""
        settings = without(new, "Tags", *_OF_THE_START)
        if settings != without(old, "Tags", *_OF_THE_START):
            scope.call("lambda", "UpdateEventSourceMapping", UUID=made.physical_id, **settings)
            _settle(scope, made.physical_id)
        to_set, removed = tag_changes(old, new)
        arn = made.attributes["EventSourceMappingArn"]
        if to_set:
            scope.call("lambda", "TagResource", Resource=arn, Tags=to_set)
        if removed:
            scope.call("lambda", "UntagResource", Resource=arn, TagKeys=removed)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the mapping and wait until it is gone."""
        with ignoring(GONE):
            scope.call("lambda", "DeleteEventSourceMapping", UUID=made.physical_id)
            scope.wait(lambda: _gone(scope, made.physical_id), timeout=_SETTLE_TIMEOUT, what="the mapping's end")


def _settle(scope: Scope, identifier: str) -> None:
    def look() -> str | None:
        state = scope.call("lambda", "GetEventSourceMapping", UUID=identifier)["State"]
        return str(state) if state in ("Enabled", "Disabled") else None

    scope.wait(look, timeout=_SETTLE_TIMEOUT, what="the event source mapping")


def _gone(scope: Scope, identifier: str) -> bool | None:
    with ignoring(GONE):
        scope.call("lambda", "GetEventSourceMapping", UUID=identifier)
        return None
    return True


class EventInvokeConfig(ResourceType):
    """How often an asynchronous invocation is tried, and where it goes then."""

    name: ClassVar[str] = "AWS::Lambda::EventInvokeConfig"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier"}
    )
    required: ClassVar[frozenset[str]] = frozenset({"FunctionName", "Qualifier"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"FunctionName", "Qualifier"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Put the configuration."""
        scope.call("lambda", "PutFunctionEventInvokeConfig", **desired)
        return Made(f"{desired['FunctionName']}|{desired['Qualifier']}")

    def update(self, scope: Scope, made: Made, _old: Properties, new: Properties) -> Made:
        """Put the configuration again: it replaces the one before."""
        self.create(scope, new)
        return made

    def delete(self, scope: Scope, _made: Made, properties: Properties) -> None:
        """Delete the configuration."""
        with ignoring(GONE):
            scope.call("lambda", "DeleteFunctionEventInvokeConfig", **only(properties, "FunctionName", "Qualifier"))
