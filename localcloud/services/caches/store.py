"""All users, groups and caches of the account, found by name or refused as ElastiCache does."""

from dataclasses import dataclass, field

from localcloud.errors import AwsError
from localcloud.services.caches.records import Cache, User, UserGroup


@dataclass
class CacheStore:
    """What was made; the tags are by ARN."""

    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, UserGroup] = field(default_factory=dict)
    caches: dict[str, Cache] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def user(self, user_id: str) -> User:
        """Return a user."""
        if user_id not in self.users:
            raise AwsError("UserNotFound", f"User {user_id} not found.", 404)
        return self.users[user_id]

    def group(self, group_id: str) -> UserGroup:
        """Return a group."""
        if group_id not in self.groups:
            raise AwsError("UserGroupNotFound", f"User group {group_id} not found.", 404)
        return self.groups[group_id]

    def cache(self, name: str) -> Cache:
        """Return a cache, whatever the case of its name."""
        if name.lower() not in self.caches:
            raise AwsError("ServerlessCacheNotFoundFault", f"Serverless cache {name} not found.", 404)
        return self.caches[name.lower()]

    def groups_of(self, user_id: str) -> list[str]:
        """Return the ids of the groups that a user is in."""
        return [group.group_id for group in self.groups.values() if user_id in group.users]

    def caches_of(self, group_id: str) -> list[str]:
        """Return the names of the caches that let a group in."""
        return [cache.name for cache in self.caches.values() if cache.group == group_id]

    def users_of(self, cache: Cache) -> list[User] | None:
        """Return the users that a cache lets in; None if it lets everybody in."""
        if cache.group is None:
            return None
        return [self.users[each] for each in self.groups[cache.group].users]

    def admitted(self, cache_name: str, user_id: str) -> User | None:
        """Return the user if the cache's group has it."""
        cache = self.caches.get(cache_name)
        users = (self.users_of(cache) if cache is not None else None) or []
        return next((user for user in users if user.user_id == user_id), None)
