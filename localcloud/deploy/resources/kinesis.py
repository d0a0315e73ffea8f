"""AWS::Kinesis: data streams."""

from typing import Any, ClassVar

from localcloud.deploy.errors import UpdateRefusedError
from localcloud.deploy.resource_type import Properties, ResourceType, changed_properties
from localcloud.deploy.resources.shape import only
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_map

_DEFAULT_HOURS = 24
_ON_DEMAND = {"StreamMode": "ON_DEMAND"}


class Stream(ResourceType):
    """A data stream; `Ref` is its name."""

    name: ClassVar[str] = "AWS::Kinesis::Stream"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"Name", "RetentionPeriodHours", "ShardCount", "StreamEncryption", "StreamModeDetails", "Tags"}
    )
    replaced_by: ClassVar[frozenset[str]] = frozenset({"Name"})
    name_property: ClassVar[str | None] = "Name"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the stream, then what it cannot be made with."""
        name = desired.get("Name") or scope.name(128)
        shape = only(desired, "ShardCount", "StreamModeDetails") or {"StreamModeDetails": _ON_DEMAND}
        tags = tag_map(desired.get("Tags")) or None
        scope.call("kinesis", "CreateStream", StreamName=name, Tags=tags, **shape)
        made = scope.note(name, Arn=scope.arn("kinesis", f"stream/{name}"))
        _retain(scope, name, _DEFAULT_HOURS, _hours(desired))
        _encrypt(scope, name, {}, desired)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change retention, encryption and tags; the number of shards cannot change here."""
        changed = changed_properties(old, new) & {"ShardCount", "StreamModeDetails"}
        if changed:
            raise UpdateRefusedError(f"{', '.join(sorted(changed))} of a data stream cannot change here")
        name = made.physical_id
        _retain(scope, name, _hours(old), _hours(new))
        _encrypt(scope, name, old, new)
        to_set, removed = tag_changes(old, new)
        if to_set:
            scope.call("kinesis", "AddTagsToStream", StreamName=name, Tags=to_set)
        if removed:
            scope.call("kinesis", "RemoveTagsFromStream", StreamName=name, TagKeys=removed)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the stream, even if something reads it."""
        with ignoring("ResourceNotFoundException"):
            scope.call("kinesis", "DeleteStream", StreamName=made.physical_id, EnforceConsumerDeletion=True)


def _hours(properties: Properties) -> int:
    return int(properties.get("RetentionPeriodHours", _DEFAULT_HOURS))


def _retain(scope: Scope, name: str, before: int, after: int) -> None:
    if after != before:
        verb = "Increase" if after > before else "Decrease"
        scope.call("kinesis", f"{verb}StreamRetentionPeriod", StreamName=name, RetentionPeriodHours=after)


def _encrypt(scope: Scope, name: str, old: Properties, new: Properties) -> None:
    before: dict[str, Any] = old.get("StreamEncryption") or {}
    after: dict[str, Any] = new.get("StreamEncryption") or {}
    if after and after != before:
        scope.call("kinesis", "StartStreamEncryption", StreamName=name, **after)
    elif before and not after:
        scope.call("kinesis", "StopStreamEncryption", StreamName=name, **before)
