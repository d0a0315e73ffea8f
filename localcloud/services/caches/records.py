"""What ElastiCache keeps: users, groups of users, serverless caches."""

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

AVAILABLE, CREATING, DELETING, FAILED = "available", "creating", "deleting", "create-failed"
ACTIVE = "active"
ENGINE = "valkey"
HOST = "127.0.0.1"
_MINIMUM_VERSION = "7.2"


@dataclass
class User:
    """A user that proves by IAM who it is.

    Parameters
    ----------
    user_id
        Its id, which is its name too: ElastiCache asks that of users of IAM.
    arn
        Its ARN.
    access
        Its access string: what it may do, in the words of ``ACL SETUSER``.
    """

    user_id: str
    arn: str
    access: str
    secret: str = field(default_factory=lambda: secrets.token_hex(32))
    """What the gate tells the server in place of a token."""

    def described(self, groups: list[str], status: str = ACTIVE) -> dict[str, Any]:
        """Return the user as DescribeUsers shows it."""
        return {
            "UserId": self.user_id,
            "UserName": self.user_id,
            "Status": status,
            "Engine": ENGINE,
            "MinimumEngineVersion": _MINIMUM_VERSION,
            "AccessString": self.access,
            "UserGroupIds": groups,
            "Authentication": {"Type": "iam"},
            "ARN": self.arn,
        }


@dataclass
class UserGroup:
    """Users that caches let in."""

    group_id: str
    arn: str
    users: list[str]
    status: str = CREATING

    def described(self, caches: list[str]) -> dict[str, Any]:
        """Return the group as DescribeUserGroups shows it."""
        return {
            "UserGroupId": self.group_id,
            "Status": self.status,
            "Engine": ENGINE,
            "UserIds": self.users,
            "MinimumEngineVersion": _MINIMUM_VERSION,
            "ServerlessCaches": caches,
            "ARN": self.arn,
        }


@dataclass
class Cache:
    """A serverless cache.

    Parameters
    ----------
    name
        Its name, in lower case.
    arn
        Its ARN.
    settings
        What it was made with, under the API's names.
    group
        Id of its users' group; None lets everybody in.
    """

    name: str
    arn: str
    settings: dict[str, Any]
    group: str | None
    status: str = CREATING
    port: int | None = None
    created: float = field(default_factory=time.time)

    def described(self) -> dict[str, Any]:
        """Return the cache as DescribeServerlessCaches shows it; it has an address once it is available."""
        endpoint = {"Address": HOST, "Port": self.port}
        endpoints = {"Endpoint": endpoint, "ReaderEndpoint": endpoint} if self.port is not None else {}
        return {
            **self.settings,
            **endpoints,
            **({"UserGroupId": self.group} if self.group else {}),
            "ServerlessCacheName": self.name,
            "Status": self.status,
            "Engine": ENGINE,
            "FullEngineVersion": self.settings["MajorEngineVersion"],
            "CreateTime": datetime.fromtimestamp(self.created, UTC),
            "ARN": self.arn,
        }
