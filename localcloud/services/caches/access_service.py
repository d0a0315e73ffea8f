"""ElastiCache's API for users and their groups."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.clock import Clock
from localcloud.errors import AwsError
from localcloud.front.permissions import Scope
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, OneOf, refuse_others
from localcloud.services.caches.engine import EngineError
from localcloud.services.caches.life import CacheLife
from localcloud.services.caches.records import ACTIVE, CREATING, ENGINE, User, UserGroup
from localcloud.services.caches.store import CacheStore

Params = Mapping[str, Any]
_SECONDS_TO_ACTIVE = 0.2
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{0,39}")
# Rules of ``ACL SETUSER`` that are not about rights, but about how a user proves who it is.
_NO_RIGHTS, _OF_PASSWORDS = ("nopass", "resetpass", "reset"), "><#!"
_IAM = {"Type": OneOf("iam")}
_USER: dict[str, Any] = {
    **dict.fromkeys(("UserId", "UserName", "AccessString", "Tags"), ANY),
    "Engine": OneOf(ENGINE),
    "AuthenticationMode": _IAM,
}
_GROUP: dict[str, Any] = {"UserGroupId": ANY, "Engine": OneOf(ENGINE), "UserIds": ANY, "Tags": ANY}


class AccessService(Service):
    """Makes, shows, changes and deletes users and groups.

    Parameters
    ----------
    store
        What is kept.
    life
        Tells running caches.
    clock
        Lets new groups become active.
    scope
        Account and region.
    """

    name: ClassVar[str] = "elasticache"

    def __init__(self, store: CacheStore, life: CacheLife, clock: Clock, scope: Scope) -> None:
        self._store = store
        self._life = life
        self._clock = clock
        self._scope = scope

    @operation("CreateUser")
    def create_user(self, params: Params) -> dict[str, Any]:
        """Make a user whose name is its id, as users of IAM must have it."""
        refuse_others("elasticache:CreateUser", params, _USER)
        if "AuthenticationMode" not in params:
            raise _bad("AuthenticationMode is required; here its Type is iam")
        user_id = check_name(params["UserId"], "UserId")
        if params["UserName"] != user_id:
            raise _bad(f"UserName {params['UserName']} of an IAM user must be its UserId, {user_id}")
        if user_id in self._store.users:
            raise AwsError("UserAlreadyExists", f"User {user_id} already exists.")
        user = User(user_id, self._scope.arn("elasticache", f"user:{user_id}"), params["AccessString"])
        self._check(user)
        self._store.users[user_id] = user
        self._store.tags[user.arn] = tags_of(params)
        return user.described([])

    @operation("DescribeUsers")
    def describe_users(self, params: Params) -> dict[str, Any]:
        """Return one user, or all."""
        refuse_others("elasticache:DescribeUsers", params, {"UserId": ANY, "Engine": OneOf(ENGINE)})
        users = [self._store.user(params["UserId"])] if params.get("UserId") else self._store.users.values()
        return {"Users": [each.described(self._store.groups_of(each.user_id)) for each in users]}

    @operation("ModifyUser")
    def modify_user(self, params: Params) -> dict[str, Any]:
        """Change what a user may do, also over connections that it has."""
        accepted = {"UserId": ANY, "AccessString": ANY, "AuthenticationMode": _IAM, "Engine": OneOf(ENGINE)}
        refuse_others("elasticache:ModifyUser", params, accepted)
        user = self._store.user(params["UserId"])
        access = params.get("AccessString") or user.access
        self._check(User(user.user_id, user.arn, access))
        user.access = access
        self._life.change(user)
        return user.described(self._store.groups_of(user.user_id))

    @operation("DeleteUser")
    def delete_user(self, params: Params) -> dict[str, Any]:
        """Delete a user, and take it out of its groups."""
        user = self._store.user(params["UserId"])
        self._life.forget(user.user_id)
        for group in self._store.groups.values():
            group.users = [each for each in group.users if each != user.user_id]
        del self._store.users[user.user_id]
        self._store.tags.pop(user.arn, None)
        return user.described([], "deleting")

    @operation("CreateUserGroup")
    def create_group(self, params: Params) -> dict[str, Any]:
        """Make a group; for Valkey it needs no user called default."""
        refuse_others("elasticache:CreateUserGroup", params, _GROUP)
        group_id = check_name(params["UserGroupId"], "UserGroupId")
        if group_id in self._store.groups:
            raise AwsError("UserGroupAlreadyExists", f"User group {group_id} already exists.")
        users = [self._store.user(each).user_id for each in params.get("UserIds") or ()]
        group = UserGroup(group_id, self._scope.arn("elasticache", f"usergroup:{group_id}"), users)
        self._store.groups[group_id] = group
        self._store.tags[group.arn] = tags_of(params)
        self._clock.call_later(_SECONDS_TO_ACTIVE, lambda: _activate(group))
        return group.described([])

    @operation("DescribeUserGroups")
    def describe_groups(self, params: Params) -> dict[str, Any]:
        """Return one group, or all."""
        refuse_others("elasticache:DescribeUserGroups", params, {"UserGroupId": ANY})
        wanted = params.get("UserGroupId")
        groups = [self._store.group(wanted)] if wanted else self._store.groups.values()
        return {"UserGroups": [each.described(self._store.caches_of(each.group_id)) for each in groups]}

    @operation("DeleteUserGroup")
    def delete_group(self, params: Params) -> dict[str, Any]:
        """Delete a group that no cache lets in."""
        group = self._store.group(params["UserGroupId"])
        caches = self._store.caches_of(group.group_id)
        if caches:
            raise AwsError("InvalidUserGroupState", f"User group {group.group_id} is in use by {', '.join(caches)}.")
        del self._store.groups[group.group_id]
        self._store.tags.pop(group.arn, None)
        group.status = "deleting"
        return group.described([])

    def _check(self, user: User) -> None:
        credentials = [rule for rule in user.access.split() if rule in _NO_RIGHTS or rule[0] in _OF_PASSWORDS]
        if credentials:
            raise _bad(f"AccessString {user.access!r}: {', '.join(credentials)} says nothing of rights")
        try:
            self._life.check(user)
        except EngineError as error:
            raise _bad(f"AccessString {user.access!r}: {error}") from error


def check_name(name: str, parameter: str) -> str:
    """Return a name that ElastiCache takes, or refuse it."""
    if not _NAME.fullmatch(name) or name.endswith("-") or "--" in name:
        raise _bad(
            f"{parameter} {name!r} must begin with a letter, have up to 40 letters, digits and single hyphens, and "
            "not end with one"
        )
    return name


def tags_of(params: Params) -> dict[str, str]:
    """Return the tags of a request."""
    return {tag["Key"]: tag.get("Value", "") for tag in params.get("Tags") or ()}


def _activate(group: UserGroup) -> None:
    if group.status == CREATING:
        group.status = ACTIVE


def _bad(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)
