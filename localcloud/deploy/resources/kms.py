"""AWS::KMS: keys and aliases."""

import json
from typing import Any, ClassVar

from localcloud.deploy.coercion import text
from localcloud.deploy.errors import UpdateRefusedError
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import only
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_map

_FIXED = ("KeySpec", "KeyUsage", "MultiRegion", "Origin")


class Key(ResourceType):
    """A customer managed key."""

    name: ClassVar[str] = "AWS::KMS::Key"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"KeyPolicy", "Description", "EnableKeyRotation", "Enabled", "PendingWindowInDays", "Tags", *_FIXED}
    )
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn", "KeyId"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the key, then set what `CreateKey` does not take."""
        answer = scope.call(
            "kms",
            "CreateKey",
            Policy=json.dumps(desired["KeyPolicy"]) if "KeyPolicy" in desired else None,
            Tags=_tags(tag_map(desired.get("Tags"))) or None,
            **only(desired, "Description", *_FIXED),
        )["KeyMetadata"]
        made = scope.note(answer["KeyId"], Arn=answer["Arn"], KeyId=answer["KeyId"])
        _set_switches(scope, made.physical_id, {}, desired)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set what differs."""
        fixed = [name for name in _FIXED if old.get(name) != new.get(name)]
        if fixed:
            raise UpdateRefusedError(f"{', '.join(fixed)} of a key cannot change")
        key = made.physical_id
        if old.get("KeyPolicy") != new.get("KeyPolicy"):
            scope.call("kms", "PutKeyPolicy", KeyId=key, PolicyName="default", Policy=json.dumps(new["KeyPolicy"]))
        if old.get("Description") != new.get("Description"):
            scope.call("kms", "UpdateKeyDescription", KeyId=key, Description=new.get("Description", ""))
        _set_switches(scope, key, old, new)
        to_set, removed = tag_changes(old, new)
        if to_set:
            scope.call("kms", "TagResource", KeyId=key, Tags=_tags(to_set))
        if removed:
            scope.call("kms", "UntagResource", KeyId=key, TagKeys=removed)
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Schedule the deletion; until then the key is of no use."""
        with ignoring("NotFoundException", "KMSInvalidStateException"):
            days = properties.get("PendingWindowInDays", 30)
            scope.call("kms", "ScheduleKeyDeletion", KeyId=made.physical_id, PendingWindowInDays=days)


def _set_switches(scope: Scope, key: str, old: Properties, new: Properties) -> None:
    """Set rotation and enablement where they differ from `old` (absent: no rotation, enabled)."""
    for name, default, on, off in (
        ("EnableKeyRotation", "false", "EnableKeyRotation", "DisableKeyRotation"),
        ("Enabled", "true", "EnableKey", "DisableKey"),
    ):
        before, after = (text(side.get(name, default)) for side in (old, new))
        if before != after:
            scope.call("kms", on if after == "true" else off, KeyId=key)


def _tags(tags: dict[str, str]) -> list[dict[str, Any]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


class Alias(ResourceType):
    """A name for a key."""

    name: ClassVar[str] = "AWS::KMS::Alias"
    handled: ClassVar[frozenset[str]] = frozenset({"AliasName", "TargetKeyId"})
    required: ClassVar[frozenset[str]] = handled
    replaced_by: ClassVar[frozenset[str]] = frozenset({"AliasName"})
    name_property: ClassVar[str | None] = "AliasName"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the alias."""
        scope.call("kms", "CreateAlias", AliasName=desired["AliasName"], TargetKeyId=_key_id(desired["TargetKeyId"]))
        return Made(desired["AliasName"])

    def update(self, scope: Scope, made: Made, _old: Properties, new: Properties) -> Made:
        """Point the alias at another key."""
        scope.call("kms", "UpdateAlias", AliasName=made.physical_id, TargetKeyId=_key_id(new["TargetKeyId"]))
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the alias; the key stays."""
        with ignoring("NotFoundException"):
            scope.call("kms", "DeleteAlias", AliasName=made.physical_id)


def _key_id(key: str) -> str:
    return key.rsplit("/", 1)[-1]
