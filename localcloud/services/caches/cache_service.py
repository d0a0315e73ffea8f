"""ElastiCache's API for serverless caches, and for tags."""

from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.errors import AwsError
from localcloud.front.permissions import Scope
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, OneOf, refuse_others
from localcloud.services.caches.access_service import check_name, tags_of
from localcloud.services.caches.life import CacheLife
from localcloud.services.caches.records import ACTIVE, AVAILABLE, ENGINE, FAILED, Cache
from localcloud.services.caches.store import CacheStore

Params = Mapping[str, Any]
_DEFAULT_VERSION = "8"
_RECORDED = ("CacheUsageLimits", "DailySnapshotTime", "Description", "SecurityGroupIds", "SnapshotRetentionLimit")
_FIXED = ("KmsKeyId", "MajorEngineVersion", "SubnetIds")
_ACCEPTED: dict[str, Any] = {
    **dict.fromkeys((*_RECORDED, *_FIXED, "ServerlessCacheName", "Tags", "UserGroupId"), ANY),
    "Engine": OneOf(ENGINE),
    "MajorEngineVersion": OneOf("7", "8"),
}


class CacheService(Service):
    """Makes, shows, changes and deletes caches.

    Parameters
    ----------
    store
        What is kept.
    life
        Starts and ends what stands behind it.
    scope
        Account and region.
    """

    name: ClassVar[str] = "elasticache"

    def __init__(self, store: CacheStore, life: CacheLife, scope: Scope) -> None:
        self._store = store
        self._life = life
        self._scope = scope

    @operation("CreateServerlessCache")
    def create(self, params: Params) -> dict[str, Any]:
        """Begin to make a cache."""
        refuse_others("elasticache:CreateServerlessCache", params, _ACCEPTED)
        name = check_name(params["ServerlessCacheName"], "ServerlessCacheName").lower()
        if name in self._store.caches:
            raise AwsError("ServerlessCacheAlreadyExistsFault", f"Serverless cache {name} already exists.")
        group = self._group(params.get("UserGroupId"))
        settings = {key: params[key] for key in (*_RECORDED, *_FIXED) if key in params}
        settings.setdefault("MajorEngineVersion", _DEFAULT_VERSION)
        cache = Cache(name, self._scope.arn("elasticache", f"serverlesscache:{name}"), settings, group)
        self._store.caches[name] = cache
        self._store.tags[cache.arn] = tags_of(params)
        self._life.begin(cache)
        return {"ServerlessCache": cache.described()}

    @operation("DescribeServerlessCaches")
    def describe(self, params: Params) -> dict[str, Any]:
        """Return one cache, or all."""
        refuse_others("elasticache:DescribeServerlessCaches", params, {"ServerlessCacheName": ANY})
        name = params.get("ServerlessCacheName")
        caches = [self._store.cache(name)] if name else list(self._store.caches.values())
        return {"ServerlessCaches": [each.described() for each in caches]}

    @operation("ModifyServerlessCache")
    def modify(self, params: Params) -> dict[str, Any]:
        """Change what is recorded of a cache; its group and engine cannot change here."""
        accepted = dict.fromkeys(("ServerlessCacheName", *_RECORDED), ANY)
        refuse_others("elasticache:ModifyServerlessCache", params, accepted)
        cache = self._settled(params["ServerlessCacheName"], AVAILABLE)
        cache.settings.update({key: params[key] for key in _RECORDED if key in params})
        return {"ServerlessCache": cache.described()}

    @operation("DeleteServerlessCache")
    def delete(self, params: Params) -> dict[str, Any]:
        """Begin to delete a cache; connections to it end at once."""
        refuse_others("elasticache:DeleteServerlessCache", params, {"ServerlessCacheName": ANY})
        cache = self._settled(params["ServerlessCacheName"], AVAILABLE, FAILED)
        self._life.end(cache)
        return {"ServerlessCache": cache.described()}

    @operation("AddTagsToResource")
    def tag(self, params: Params) -> dict[str, Any]:
        """Set tags."""
        tags = self._tags(params)
        tags.update(tags_of(params))
        return _listed(tags)

    @operation("RemoveTagsFromResource")
    def untag(self, params: Params) -> dict[str, Any]:
        """Remove tags."""
        tags = self._tags(params)
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return _listed(tags)

    @operation("ListTagsForResource")
    def tags(self, params: Params) -> dict[str, Any]:
        """Return tags."""
        return _listed(self._tags(params))

    def _tags(self, params: Params) -> dict[str, str]:
        arn = params["ResourceName"]
        if arn not in self._store.tags:
            raise AwsError("InvalidARN", f"{arn} names no cache, user or user group.")
        return self._store.tags[arn]

    def _group(self, group_id: str | None) -> str | None:
        if group_id is None:
            return None
        group = self._store.group(group_id)
        if group.status != ACTIVE:
            raise AwsError("InvalidUserGroupState", f"User group {group_id} is {group.status}, not {ACTIVE}.")
        return group.group_id

    def _settled(self, name: str, *states: str) -> Cache:
        cache = self._store.cache(name)
        if cache.status not in states:
            message = f"Serverless cache {cache.name} is {cache.status}, not {' or '.join(states)}."
            raise AwsError("InvalidServerlessCacheStateFault", message)
        return cache


def _listed(tags: Mapping[str, str]) -> dict[str, Any]:
    return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]}
