"""All that makes up the caches of the local cloud, joined."""

from pathlib import Path

from localcloud.clock import Clock
from localcloud.credentials import CredentialStore
from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Scope
from localcloud.physics.settings import PhysicsSettings
from localcloud.service import Service
from localcloud.services.caches.access_service import AccessService
from localcloud.services.caches.cache_service import CacheService
from localcloud.services.caches.certificates import Certificates
from localcloud.services.caches.faults import CacheFaults
from localcloud.services.caches.host import CacheHost
from localcloud.services.caches.life import CacheLife
from localcloud.services.caches.store import CacheStore
from localcloud.services.caches.tokens import ConnectTokens


class Caches:
    """ElastiCache.

    Parameters
    ----------
    folder
        Where servers and certificates are.
    credentials
        Knows whose access keys are.
    authorizer
        Tells whether a role may connect.
    clock, settings
        How time passes, and how long things take.
    scope
        Account and region.
    """

    def __init__(
        self,
        folder: Path,
        credentials: CredentialStore,
        authorizer: Authorizer,
        clock: Clock,
        settings: PhysicsSettings,
        scope: Scope,
    ) -> None:
        certificates = Certificates(folder / "certificates")
        store, self._host = CacheStore(), CacheHost(folder / "servers", certificates)
        life = CacheLife(store, self._host, ConnectTokens(credentials, scope.region), authorizer, settings)
        self.trust = certificates.trust
        self.faults = CacheFaults(self._host, life.revive)
        self._services = (CacheService(store, life, scope), AccessService(store, life, clock, scope))

    def services(self) -> tuple[Service, ...]:
        """Return what answers ElastiCache's API."""
        return self._services

    def close(self) -> None:
        """End all caches."""
        self._host.close()
