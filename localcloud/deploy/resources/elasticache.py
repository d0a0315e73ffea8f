"""AWS::ElastiCache: serverless caches, users and their groups."""

from typing import Any, ClassVar

from localcloud.deploy.errors import ResourceFailedError, UpdateRefusedError
from localcloud.deploy.resource_type import Properties, ResourceType, changed_properties
from localcloud.deploy.resources.shape import only, without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_list

_TIMEOUT = 120.0
_MODIFIABLE = frozenset(
    {"CacheUsageLimits", "DailySnapshotTime", "Description", "SecurityGroupIds", "SnapshotRetentionLimit"}
)
_GONE = ("ServerlessCacheNotFoundFault", "UserNotFound", "UserGroupNotFound")


class ServerlessCache(ResourceType):
    """A serverless cache; `Ref` is its name."""

    name: ClassVar[str] = "AWS::ElastiCache::ServerlessCache"
    handled: ClassVar[frozenset[str]] = _MODIFIABLE | {
        "Engine", "KmsKeyId", "MajorEngineVersion", "ServerlessCacheName", "SubnetIds", "Tags", "UserGroupId"
    }  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset({"Engine", "ServerlessCacheName"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"KmsKeyId", "ServerlessCacheName", "SubnetIds"})
    name_property: ClassVar[str | None] = "ServerlessCacheName"
    attributes: ClassVar[frozenset[str]] = frozenset(
        {"ARN", "Endpoint.Address", "Endpoint.Port", "ReaderEndpoint.Address", "ReaderEndpoint.Port"}
    )
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the cache and wait until it can be connected to."""
        made = scope.call("elasticache", "CreateServerlessCache", **desired)["ServerlessCache"]
        name = scope.note(made["ServerlessCacheName"]).physical_id
        cache = scope.wait(lambda: _settled(scope, name), timeout=_TIMEOUT, what=f"cache {name}")
        if cache["Status"] != "available":
            raise ResourceFailedError(f"cache {name} is {cache['Status']}")
        return scope.note(name, ARN=cache["ARN"], **_addresses(cache))

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change what is recorded of the cache; engine and user group cannot change here."""
        changed = changed_properties(old, new)
        _refuse(changed - _MODIFIABLE - {"Tags"}, "a serverless cache")
        removed = {key for key in changed & _MODIFIABLE if key not in new}
        _refuse(frozenset(removed), "a serverless cache, once set,")
        if changed & _MODIFIABLE:
            values = only(new, *(changed & _MODIFIABLE))
            scope.call("elasticache", "ModifyServerlessCache", ServerlessCacheName=made.physical_id, **values)
        _set_tags(scope, made.attributes["ARN"], old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the cache and wait until it is gone, which its user group cannot be before."""
        name = made.physical_id
        with ignoring(*_GONE):
            scope.wait(lambda: _settled(scope, name), timeout=_TIMEOUT, what=f"cache {name}")
            scope.call("elasticache", "DeleteServerlessCache", ServerlessCacheName=name)
            scope.wait(lambda: _settled(scope, name), timeout=_TIMEOUT, what=f"the end of cache {name}")


class User(ResourceType):
    """A user; `Ref` is its id."""

    name: ClassVar[str] = "AWS::ElastiCache::User"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"AccessString", "AuthenticationMode", "Engine", "Tags", "UserId", "UserName"}
    )
    required: ClassVar[frozenset[str]] = frozenset({"Engine", "UserId", "UserName"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"UserId", "UserName"})
    name_property: ClassVar[str | None] = "UserId"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the user."""
        made = scope.call("elasticache", "CreateUser", **desired)
        return scope.note(made["UserId"], Arn=made["ARN"])

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change what the user may do."""
        changed = changed_properties(old, new)
        _refuse(changed - {"AccessString", "AuthenticationMode", "Tags"}, "a user of ElastiCache")
        if changed & {"AccessString", "AuthenticationMode"}:
            values = only(new, "AccessString", "AuthenticationMode")
            scope.call("elasticache", "ModifyUser", UserId=made.physical_id, **values)
        _set_tags(scope, made.attributes["Arn"], old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the user."""
        with ignoring(*_GONE):
            scope.call("elasticache", "DeleteUser", UserId=made.physical_id)


class UserGroup(ResourceType):
    """A group of users; `Ref` is its id."""

    name: ClassVar[str] = "AWS::ElastiCache::UserGroup"
    handled: ClassVar[frozenset[str]] = frozenset({"Engine", "Tags", "UserGroupId", "UserIds"})
    required: ClassVar[frozenset[str]] = frozenset({"Engine", "UserGroupId", "UserIds"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"UserGroupId"})
    name_property: ClassVar[str | None] = "UserGroupId"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the group and wait until caches can let it in."""
        answer = scope.call("elasticache", "CreateUserGroup", **desired)
        made = scope.note(answer["UserGroupId"], Arn=answer["ARN"])

        def look() -> bool | None:
            groups = scope.call("elasticache", "DescribeUserGroups", UserGroupId=made.physical_id)["UserGroups"]
            return True if groups[0]["Status"] == "active" else None

        scope.wait(look, timeout=_TIMEOUT, what=f"user group {made.physical_id}")
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change tags; members cannot change here."""
        _refuse(changed_properties(without(old, "Tags"), without(new, "Tags")), "a user group")
        _set_tags(scope, made.attributes["Arn"], old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the group."""
        with ignoring(*_GONE):
            scope.call("elasticache", "DeleteUserGroup", UserGroupId=made.physical_id)


def _settled(scope: Scope, name: str) -> dict[str, Any] | None:
    """Return a cache that is neither creating nor deleting; one that is gone is an API error."""
    found = scope.call("elasticache", "DescribeServerlessCaches", ServerlessCacheName=name)["ServerlessCaches"][0]
    return None if found["Status"] in ("creating", "deleting") else dict(found)


def _addresses(cache: dict[str, Any]) -> dict[str, str]:
    return {
        f"{endpoint}.{part}": str(cache[endpoint][part])
        for endpoint in ("Endpoint", "ReaderEndpoint")
        for part in ("Address", "Port")
    }


def _refuse(changed: frozenset[str], what: str) -> None:
    if changed:
        raise UpdateRefusedError(f"{', '.join(sorted(changed))} of {what} cannot change here")


def _set_tags(scope: Scope, arn: str, old: Properties, new: Properties) -> None:
    to_set, removed = tag_changes(old, new)
    if to_set:
        scope.call("elasticache", "AddTagsToResource", ResourceName=arn, Tags=tag_list(to_set))
    if removed:
        scope.call("elasticache", "RemoveTagsFromResource", ResourceName=arn, TagKeys=removed)
