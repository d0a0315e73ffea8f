"""boto3 clients of a local cloud: the administrator's, and roles'."""

import threading
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

from localcloud.credentials import ADMIN_ACCESS_KEY, ADMIN_SECRET, Credentials


class Clients:
    """Makes clients, of one session, for what a session reads of the services takes longer than all else they need.

    Parameters
    ----------
    endpoint_url
        Returns the front's URL, which is known only once it listens.
    region
        Region of the clients.
    """

    def __init__(self, endpoint_url: Callable[[], str], region: str) -> None:
        self._endpoint_url = endpoint_url
        self._region = region
        self._session: Any = boto3.Session(ADMIN_ACCESS_KEY, ADMIN_SECRET, region_name=region)
        self._administrators: dict[str, Any] = {}
        # Making a client reads and caches service models, which boto3 does not guard.
        self._making = threading.Lock()

    def administrators(self, service: str) -> Any:
        """Return the administrator's client of a service, always the same."""
        with self._making:
            if service not in self._administrators:
                config = Config(max_pool_connections=64, retries={"mode": "standard"})
                self._administrators[service] = self._session.client(
                    service, endpoint_url=self._endpoint_url(), config=config
                )
            return self._administrators[service]

    def under(self, credentials: Credentials, service: str) -> Any:
        """Return a client of its own under a role's credentials."""
        with self._making:
            return self._session.client(
                service,
                endpoint_url=self._endpoint_url(),
                aws_access_key_id=credentials.access_key_id,
                aws_secret_access_key=credentials.secret_access_key,
                aws_session_token=credentials.session_token,
            )
