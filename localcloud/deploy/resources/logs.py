"""AWS::Logs: log groups, streams, and subscription filters."""

from typing import ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import only
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_map

_GONE = "ResourceNotFoundException"


class LogGroup(ResourceType):
    """A log group."""

    name: ClassVar[str] = "AWS::Logs::LogGroup"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"KmsKeyId", "LogGroupClass", "LogGroupName", "RetentionInDays", "Tags"}
    )
    replaced_by: ClassVar[frozenset[str]] = frozenset({"LogGroupName"})
    name_property: ClassVar[str | None] = "LogGroupName"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the log group."""
        group = desired.get("LogGroupName") or scope.name(512)
        scope.call(
            "logs",
            "CreateLogGroup",
            logGroupName=group,
            kmsKeyId=desired.get("KmsKeyId"),
            logGroupClass=desired.get("LogGroupClass"),
            tags=tag_map(desired.get("Tags")) or None,
        )
        made = scope.note(group, Arn=scope.arn("logs", f"log-group:{group}:*"))
        _set_retention(scope, group, {}, desired)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set what differs."""
        group = made.physical_id
        _set_retention(scope, group, old, new)
        if old.get("KmsKeyId") != new.get("KmsKeyId"):
            operation = "AssociateKmsKey" if "KmsKeyId" in new else "DisassociateKmsKey"
            scope.call("logs", operation, logGroupName=group, kmsKeyId=new.get("KmsKeyId"))
        to_set, removed = tag_changes(old, new)
        arn = made.attributes["Arn"].removesuffix(":*")
        if to_set:
            scope.call("logs", "TagResource", resourceArn=arn, tags=to_set)
        if removed:
            scope.call("logs", "UntagResource", resourceArn=arn, tagKeys=removed)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the log group and what is in it."""
        with ignoring(_GONE):
            scope.call("logs", "DeleteLogGroup", logGroupName=made.physical_id)


def _set_retention(scope: Scope, group: str, old: Properties, new: Properties) -> None:
    if old.get("RetentionInDays") == new.get("RetentionInDays"):
        return
    if "RetentionInDays" in new:
        scope.call("logs", "PutRetentionPolicy", logGroupName=group, retentionInDays=new["RetentionInDays"])
    else:
        scope.call("logs", "DeleteRetentionPolicy", logGroupName=group)


class LogStream(ResourceType):
    """A log stream; `Ref` is its name."""

    name: ClassVar[str] = "AWS::Logs::LogStream"
    handled: ClassVar[frozenset[str]] = frozenset({"LogGroupName", "LogStreamName"})
    required: ClassVar[frozenset[str]] = frozenset({"LogGroupName"})
    replaced_by: ClassVar[frozenset[str]] = handled

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the log stream."""
        stream = desired.get("LogStreamName") or scope.name(512)
        scope.call("logs", "CreateLogStream", logGroupName=desired["LogGroupName"], logStreamName=stream)
        return Made(stream)

    def update(self, _scope: Scope, made: Made, _old: Properties, _new: Properties) -> Made:
        """Change nothing: every property of a log stream makes a new one."""
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the log stream and what is in it."""
        with ignoring(_GONE):
            scope.call(
                "logs", "DeleteLogStream", logGroupName=properties["LogGroupName"], logStreamName=made.physical_id
            )


_FILTER = {
    "FilterPattern": "filterPattern",
    "DestinationArn": "destinationArn",
    "RoleArn": "roleArn",
    "Distribution": "distribution",
}


class SubscriptionFilter(ResourceType):
    """A subscription filter; `Ref` is its name."""

    name: ClassVar[str] = "AWS::Logs::SubscriptionFilter"
    handled: ClassVar[frozenset[str]] = frozenset({"FilterName", "LogGroupName", *_FILTER})
    required: ClassVar[frozenset[str]] = frozenset({"LogGroupName", "FilterPattern", "DestinationArn"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"FilterName", "LogGroupName"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the filter."""
        return self._put(scope, desired.get("FilterName") or scope.name(512), desired)

    def update(self, scope: Scope, made: Made, _old: Properties, new: Properties) -> Made:
        """Set what the filter lets through, and where to."""
        return self._put(scope, made.physical_id, new)

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the filter."""
        with ignoring(_GONE):
            group = properties["LogGroupName"]
            scope.call("logs", "DeleteSubscriptionFilter", logGroupName=group, filterName=made.physical_id)

    @staticmethod
    def _put(scope: Scope, name: str, desired: Properties) -> Made:
        given = {_FILTER[key]: value for key, value in only(desired, *_FILTER).items()}
        scope.call("logs", "PutSubscriptionFilter", logGroupName=desired["LogGroupName"], filterName=name, **given)
        return Made(name)
