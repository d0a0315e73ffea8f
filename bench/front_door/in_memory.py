"""A cache in Valkey for the function that is measured, made by hand beside what the templates deploy."""

import json
from typing import Any

from bench.front_door.functions import LiveFunction, until
from bench.front_door.place import Place

_NAME = "bench"
_ENGINE = "valkey"


def valkey(place: Place, function: LiveFunction) -> dict[str, Any]:
    """Make a cache which the function may connect to; return what its settings say of it."""
    client = place.client("elasticache")
    user = client.create_user(
        UserId=_NAME,
        UserName=_NAME,
        Engine=_ENGINE,
        AccessString=f"on ~{place.endpoint.name}:* -@all +get +set",
        AuthenticationMode={"Type": "iam"},
    )
    client.create_user_group(UserGroupId=_NAME, Engine=_ENGINE, UserIds=[_NAME])
    until(lambda: _group(client)["Status"] == "active", "the user group")
    made = client.create_serverless_cache(ServerlessCacheName=_NAME, Engine=_ENGINE, UserGroupId=_NAME)
    _admit(place, function, [made["ServerlessCache"]["ARN"], user["ARN"]])
    until(lambda: _cache(client)["Status"] == "available", "the cache")
    endpoint = _cache(client)["Endpoint"]
    return {"host": endpoint["Address"], "port": endpoint["Port"], "name": _NAME, "user": _NAME}


def _group(client: Any) -> dict[str, Any]:
    (found,) = client.describe_user_groups(UserGroupId=_NAME)["UserGroups"]
    return dict(found)


def _cache(client: Any) -> dict[str, Any]:
    (found,) = client.describe_serverless_caches(ServerlessCacheName=_NAME)["ServerlessCaches"]
    return dict(found)


def _admit(place: Place, function: LiveFunction, resources: list[str]) -> None:
    statement = {"Effect": "Allow", "Action": "elasticache:Connect", "Resource": resources}
    place.client("iam").put_role_policy(
        RoleName=function.role.rpartition("/")[2],
        PolicyName=_NAME,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
