"""AWS::DynamoDB: tables."""

from typing import Any, ClassVar

from localcloud.deploy.coercion import text
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import only, renamed, same
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_list, tag_map

_GONE = "ResourceNotFoundException"
_TIMEOUT = 120.0
_SET_BY_UPDATE = (
    "BillingMode", "DeletionProtectionEnabled", "OnDemandThroughput", "ProvisionedThroughput", "TableClass",
)  # fmt: skip
_INDEXES = "GlobalSecondaryIndexes"


class Table(ResourceType):
    """A table with its indexes."""

    name: ClassVar[str] = "AWS::DynamoDB::Table"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes", "PointInTimeRecoverySpecification",
         "SSESpecification", "StreamSpecification", "TableName", "Tags", "TimeToLiveSpecification", _INDEXES,
         *_SET_BY_UPDATE}
    )  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset({"KeySchema"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"TableName", "KeySchema"})
    name_property: ClassVar[str | None] = "TableName"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn", "StreamArn"})
    tag_form: ClassVar[str | None] = "list"

    def replaces(self, changed: frozenset[str], old: Properties, new: Properties) -> bool:
        """Local indexes are fixed as well, though the schema does not say so."""
        return "LocalSecondaryIndexes" in changed or super().replaces(changed, old, new)

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the table, wait for it, then set what `CreateTable` does not take."""
        table = desired.get("TableName") or scope.name(255)
        scope.call(
            "dynamodb",
            "CreateTable",
            TableName=table,
            SSESpecification=_encryption(desired),
            StreamSpecification=_stream(desired),
            Tags=tag_list(tag_map(desired.get("Tags"))) or None,
            **only(desired, "AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes", _INDEXES, *_SET_BY_UPDATE),
        )
        scope.note(table, Arn=scope.arn("dynamodb", f"table/{table}"))
        made = _made(scope, _settled(scope, table))
        _set_recovery(scope, table, {}, desired)
        _set_time_to_live(scope, table, {}, desired)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set what differs, one kind of change a call, as DynamoDB wants it."""
        table = made.physical_id
        for change in _changes(old, new):
            scope.call("dynamodb", "UpdateTable", TableName=table, **change)
            _settled(scope, table)
        _set_recovery(scope, table, old, new)
        _set_time_to_live(scope, table, old, new)
        to_set, removed = tag_changes(old, new)
        if to_set:
            scope.call("dynamodb", "TagResource", ResourceArn=made.attributes["Arn"], Tags=tag_list(to_set))
        if removed:
            scope.call("dynamodb", "UntagResource", ResourceArn=made.attributes["Arn"], TagKeys=removed)
        return _made(scope, _settled(scope, table))

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the table and wait until it is gone."""
        with ignoring(_GONE):
            scope.call("dynamodb", "DeleteTable", TableName=made.physical_id)
            scope.wait(lambda: _gone(scope, made.physical_id), timeout=_TIMEOUT, what="the table's end")


def _encryption(properties: Properties) -> dict[str, Any] | None:
    if "SSESpecification" not in properties:
        return None
    names = {"SSEEnabled": "Enabled", **same("SSEType", "KMSMasterKeyId")}
    return renamed(properties["SSESpecification"], "SSESpecification", names)


def _stream(properties: Properties) -> dict[str, Any] | None:
    if "StreamSpecification" not in properties:
        return None
    view = renamed(properties["StreamSpecification"], "StreamSpecification", same("StreamViewType"))
    return {"StreamEnabled": True, **view}


def _changes(old: Properties, new: Properties) -> list[dict[str, Any]]:
    """Return the parameters of every `UpdateTable` call that is needed."""
    settings = {key: new[key] for key in _SET_BY_UPDATE if key in new and old.get(key) != new[key]}
    changes = [settings] if settings else []
    if _encryption(old) != _encryption(new):
        changes.append({"SSESpecification": _encryption(new) or {"Enabled": False}})
    if _stream(old) != _stream(new):
        changes.append({"StreamSpecification": _stream(new) or {"StreamEnabled": False}})
    return changes + _index_changes(old, new)


def _index_changes(old: Properties, new: Properties) -> list[dict[str, Any]]:
    before, after = ({index["IndexName"]: index for index in side.get(_INDEXES, [])} for side in (old, new))
    differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    removals = [{"Delete": {"IndexName": name}} for name in differing if name in before]
    creations = [{"Create": after[name]} for name in differing if name in after]
    attributes = new.get("AttributeDefinitions")
    return [
        {"GlobalSecondaryIndexUpdates": [change], "AttributeDefinitions": attributes} for change in removals + creations
    ]


def _settled(scope: Scope, table: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = scope.call("dynamodb", "DescribeTable", TableName=table)["Table"]
        indexes = [index.get("IndexStatus", "ACTIVE") for index in found.get(_INDEXES, [])]
        return found if {found["TableStatus"], *indexes} == {"ACTIVE"} else None

    return scope.wait(look, timeout=_TIMEOUT, what=f"table {table}")


def _made(scope: Scope, table: dict[str, Any]) -> Made:
    stream = {"StreamArn": table["LatestStreamArn"]} if "LatestStreamArn" in table else {}
    return scope.note(table["TableName"], Arn=table["TableArn"], **stream)


def _gone(scope: Scope, table: str) -> bool | None:
    with ignoring(_GONE):
        scope.call("dynamodb", "DescribeTable", TableName=table)
        return None
    return True


def _set_recovery(scope: Scope, table: str, old: Properties, new: Properties) -> None:
    name = "PointInTimeRecoverySpecification"
    if old.get(name) != new.get(name):
        wanted = new.get(name, {"PointInTimeRecoveryEnabled": False})
        scope.call("dynamodb", "UpdateContinuousBackups", TableName=table, PointInTimeRecoverySpecification=wanted)


def _set_time_to_live(scope: Scope, table: str, old: Properties, new: Properties) -> None:
    name = "TimeToLiveSpecification"
    before, after = old.get(name), new.get(name)
    if before == after:
        return
    wanted = after or {**(before or {}), "Enabled": False}
    if text(wanted.get("Enabled", False)) == "true" or before:
        scope.call("dynamodb", "UpdateTimeToLive", TableName=table, TimeToLiveSpecification=wanted)
