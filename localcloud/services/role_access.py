"""API calls and credentials in the name of a role, for services that act under one."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from localcloud.credentials import Credentials, CredentialStore
from localcloud.front.stored_policies import RolePolicies

_SECONDS_TO_CONNECT = 5
_SECONDS_TO_ANSWER = 60


class RoleSession:
    """Credentials of one role, forgotten at the end; a context manager."""

    def __init__(self, access: "RoleAccess", credentials: Credentials) -> None:
        self._access = access
        self.credentials = credentials

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._access.forget(self.credentials)

    def client(self, service: str, *, answer_seconds: float = _SECONDS_TO_ANSWER, attempts: int = 3) -> Any:
        """Return a boto3 client whose calls are the role's."""
        return self._access.client(service, self.credentials, answer_seconds, attempts)

    def environment(self) -> dict[str, str]:
        """Return the variables under which a process calls AWS in the role's name."""
        return {
            "AWS_ENDPOINT_URL": self._access.endpoint_url(),
            "AWS_REGION": self._access.region,
            "AWS_DEFAULT_REGION": self._access.region,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key,
            "AWS_SESSION_TOKEN": self.credentials.session_token,
        }


class RoleAccess:
    """Opens sessions of roles on this cloud's own front, so that every policy has its say.

    Parameters
    ----------
    credentials
        Mints the roles' credentials.
    role
        Returns a role's policies by ARN; None if there is no such role.
    endpoint_url
        Returns the front's URL, which is known only once it listens.
    region
        Region of the clients.
    """

    def __init__(
        self,
        credentials: CredentialStore,
        role: Callable[[str], RolePolicies | None],
        endpoint_url: Callable[[], str],
        region: str,
    ) -> None:
        self._credentials = credentials
        self._role = role
        self.endpoint_url = endpoint_url
        self.region = region
        self._session: Any = boto3.Session(region_name=region)
        # Making a client reads and caches service models, which boto3 does not guard.
        self._making = threading.Lock()

    def open(self, role_arn: str, name: str) -> RoleSession:
        """Return a session of a role; `name` is the session's name in its ARN."""
        role = self._role(role_arn)
        return RoleSession(self, self._credentials.mint(role_arn, role.role_id if role else "", name[:64]))

    def forget(self, credentials: Credentials) -> None:
        """Make a session's credentials worthless."""
        self._credentials.revoke(credentials)

    def client(self, service: str, credentials: Credentials, answer_seconds: float, attempts: int) -> Any:
        """Return a client under minted credentials, with bounded time and retries."""
        config = Config(
            connect_timeout=_SECONDS_TO_CONNECT,
            read_timeout=answer_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=16,
        )
        with self._making:
            return self._session.client(
                service,
                endpoint_url=self.endpoint_url(),
                aws_access_key_id=credentials.access_key_id,
                aws_secret_access_key=credentials.secret_access_key,
                aws_session_token=credentials.session_token,
                config=config,
            )
