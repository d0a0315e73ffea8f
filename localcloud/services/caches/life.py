"""The life of caches: they come and go while the API has long answered, let users in, and die when told to."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError

from localcloud.credentials import Principal
from localcloud.errors import AwsError
from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Need
from localcloud.physics.settings import PhysicsSettings
from localcloud.services.caches.gate import LoginError
from localcloud.services.caches.host import CacheHost
from localcloud.services.caches.records import AVAILABLE, DELETING, FAILED, Cache, User
from localcloud.services.caches.store import CacheStore
from localcloud.services.caches.tokens import ConnectTokens, TokenError

_log = logging.getLogger(__name__)
_CONNECT = "elasticache:Connect"
_MOST_MEGABYTES = 256


class CacheLife:
    """Starts and ends what stands behind the records.

    Parameters
    ----------
    store
        The records.
    host
        Runs caches.
    tokens
        Checks tokens.
    authorizer
        Tells whether a role may connect.
    settings
        How long things take.
    """

    def __init__(
        self,
        store: CacheStore,
        host: CacheHost,
        tokens: ConnectTokens,
        authorizer: Authorizer,
        settings: PhysicsSettings,
    ) -> None:
        self._store = store
        self._host = host
        self._tokens = tokens
        self._authorizer = authorizer
        self._settings = settings

    def begin(self, cache: Cache) -> None:
        """Let a new cache become available."""
        self._aside(lambda: self._create(cache))

    def end(self, cache: Cache) -> None:
        """End a cache, with all connections to it, and then forget it."""
        cache.status = DELETING
        self._aside(lambda: self._delete(cache))

    def check(self, user: User) -> None:
        """Raise `EngineError` if a user's access string is not understood."""
        self._host.check(user)

    def change(self, user: User) -> None:
        """Let what a user may do now hold in all caches that let it in."""
        for cache in self._admitting(user.user_id):
            with contextlib.suppress(OSError):  # a cache that was killed learns it when it is started again
                self._host.set_user(cache.name, user)

    def forget(self, user_id: str) -> None:
        """End a user's connections."""
        for cache in self._admitting(user_id):
            with contextlib.suppress(OSError):  # one that was killed has no connections
                self._host.remove_user(cache.name, user_id)

    def revive(self, name: str) -> None:
        """Start a cache that was killed, empty."""
        if name in self._store.caches:
            self._host.revive(name, self._store.users_of(self._store.caches[name]))

    def login(self, cache: Cache, user_id: str, token: str) -> str:
        """Return the server's password of a user whose token holds; raise `LoginError` if it does not."""
        user = self._store.admitted(cache.name, user_id)
        if user is None:
            raise LoginError(f"it is not in the user group of cache {cache.name}")
        try:
            principal = self._tokens.principal(token, cache.name, user_id)
            refusal = self._refusal(principal, cache, user)
        except TokenError as error:
            raise LoginError(f"the token is refused: {error}") from error
        except AwsError as error:  # a policy says what is not evaluated here
            raise LoginError(error.message) from error
        if refusal is not None:
            raise LoginError(refusal)
        return user.secret

    def _refusal(self, principal: Principal, cache: Cache, user: User) -> str | None:
        """Return why a role may not connect: both cache and user must be allowed (ElastiCache's guide on IAM)."""
        if principal.is_admin:
            return None
        refusals = (self._authorizer.refusal(principal, Need(_CONNECT, arn)) for arn in (cache.arn, user.arn))
        return next((refusal for refusal in refusals if refusal is not None), None)

    def _admitting(self, user_id: str) -> list[Cache]:
        available = [cache for cache in self._store.caches.values() if cache.status == AVAILABLE]
        return [cache for cache in available if self._store.admitted(cache.name, user_id) is not None]

    def _create(self, cache: Cache) -> None:
        available_at = time.monotonic() + self._settings.cache_create_seconds
        users, memory = self._store.users_of(cache), _megabytes(cache)
        try:
            port = self._host.start(cache.name, lambda user, token: self.login(cache, user, token), users, memory)
        except CancelledError:
            return  # the cloud stops
        except Exception:  # whatever it is, the cache cannot be made
            _log.exception("cache %s cannot be started", cache.name)
            cache.status = FAILED
            return
        time.sleep(max(0.0, available_at - time.monotonic()))
        cache.port, cache.status = port, AVAILABLE

    def _delete(self, cache: Cache) -> None:
        self._host.stop(cache.name)
        time.sleep(self._settings.cache_delete_seconds)
        self._store.caches.pop(cache.name, None)
        self._store.tags.pop(cache.arn, None)

    @staticmethod
    def _aside(work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="localcloud-cache", daemon=True).start()


def _megabytes(cache: Cache) -> int:
    storage = cache.settings.get("CacheUsageLimits", {}).get("DataStorage", {})
    return min(int(storage.get("Maximum") or 1) * 1024, _MOST_MEGABYTES)
