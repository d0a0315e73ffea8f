"""Short ways to make caches, users and tokens, and to connect as functions do."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import valkey
from botocore.credentials import Credentials
from botocore.model import ServiceId
from botocore.session import Session
from botocore.signers import RequestSigner

from localcloud.cloud import LocalCloud
from tests.localcloud.conftest import Workshop, eventually

ACCESS = "on ~p:* -@all +get +set +mget +ping"
REGION = "us-east-1"


@dataclass(frozen=True)
class MadeCache:
    """A cache that is available, and its one user."""

    name: str
    user: str
    arns: tuple[str, str]
    port: int


@dataclass
class CacheBench:
    """Makes caches on a cloud."""

    cloud: LocalCloud
    workshop: Workshop

    def make(self, access: str = ACCESS) -> MadeCache:
        """Return a new cache that lets one user in."""
        api, user = self.cloud.client("elasticache"), self.user(access)
        group = self.workshop.name("group")
        api.create_user_group(UserGroupId=group, Engine="valkey", UserIds=[user])
        eventually(lambda: self.group(group)["Status"] == "active")
        name = self.workshop.name("cache")
        api.create_serverless_cache(ServerlessCacheName=name, Engine="valkey", UserGroupId=group)
        made = eventually(lambda: self.available(name))
        arn = api.describe_users(UserId=user)["Users"][0]["ARN"]
        return MadeCache(name, user, (made["ARN"], arn), made["Endpoint"]["Port"])

    def user(self, access: str = ACCESS, **settings: Any) -> str:
        """Return the id of a new user."""
        user = self.workshop.name("user")
        given = {"UserName": user, "Engine": "valkey", "AuthenticationMode": {"Type": "iam"}, **settings}
        self.cloud.client("elasticache").create_user(UserId=user, AccessString=access, **given)
        return user

    def group(self, name: str) -> dict[str, Any]:
        """Return a user group as it is now."""
        answer = self.cloud.client("elasticache").describe_user_groups(UserGroupId=name)
        found: dict[str, Any] = answer["UserGroups"][0]
        return found

    def cache(self, name: str) -> dict[str, Any]:
        """Return a cache as it is now."""
        answer = self.cloud.client("elasticache").describe_serverless_caches(ServerlessCacheName=name)
        found: dict[str, Any] = answer["ServerlessCaches"][0]
        return found

    def available(self, name: str) -> dict[str, Any] | None:
        """Return a cache if it is available."""
        found = self.cache(name)
        return found if found["Status"] == "available" else None

    def role_token(self, cache: MadeCache, *statements: dict[str, Any], **changes: Any) -> str:
        """Return a token that a new role with these permissions signs."""
        role = self.workshop.role(*statements)
        minted = self.cloud.credentials.mint(role, "AROATEST", "test")
        signed_by = Credentials(minted.access_key_id, minted.secret_access_key, minted.session_token)
        return token(cache, signed_by, **changes)

    @contextmanager
    def client(self, cache: MadeCache, password: str, **settings: Any) -> Iterator[valkey.Valkey]:
        """Yield a client that trusts what functions trust."""
        login = {"username": cache.user, "password": password, "ssl": True, **self.trusted()}
        with valkey.Valkey("127.0.0.1", cache.port, **{"socket_timeout": 5, **login, **settings}) as client:
            yield client

    def trusted(self) -> dict[str, Any]:
        """Return the bundle that functions get, for a client in this process."""
        return {"ssl_ca_certs": self.cloud.environment["SSL_CERT_FILE"], "ssl_check_hostname": True}


def allowed(*arns: Any) -> dict[str, Any]:
    """Return the statement that lets a role connect."""
    return {"Effect": "Allow", "Action": "elasticache:Connect", "Resource": list(arns)}


def token(cache: MadeCache, signed_by: Credentials, *, seconds: int = 900, user: str = "", host: str = "") -> str:
    """Return a token as ElastiCache's guide makes it, with botocore."""
    session = Session()  # a signer keeps no session alive, and needs its emitter
    signer = RequestSigner(
        ServiceId("elasticache"), REGION, "elasticache", "v4", signed_by, session.get_component("event_emitter")
    )
    query = f"Action=connect&User={user or cache.user}&ResourceType=ServerlessCache"
    request = {
        "method": "GET",
        "url": f"http://{host or cache.name}/?{query}",
        "body": {},
        "headers": {},
        "context": {},
    }
    url: str = signer.generate_presigned_url(request, operation_name="connect", expires_in=seconds, region_name=REGION)
    return url.removeprefix("http://")


def untrusting() -> ssl.SSLContext:
    """Return the context of a client that does not know the cloud's authority."""
    return ssl.create_default_context()
