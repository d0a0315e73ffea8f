"""S3 by URI, for the parts of the local cloud that read and write objects themselves."""

from typing import Any

from moto.s3.models import s3_backends

from localcloud.front.moto_store import MotoStore
from localcloud.physics.ports import ObjectMissingError


class Objects:
    """moto's S3 as an object store.

    Parameters
    ----------
    store
        moto, which keeps the objects.
    account
        Whose buckets they are.
    """

    def __init__(self, store: MotoStore, account: str) -> None:
        self._store = store
        self._account = account

    def get(self, uri: str) -> bytes:
        """Return an object's bytes; raise `ObjectMissingError` naming the URI when it is not there."""
        bucket, key = _split(uri)
        with self._store.lock:
            stored = self._backend().get_object(bucket, key) if bucket in self._backend().buckets else None
            if stored is None or not hasattr(stored, "value"):
                raise ObjectMissingError(uri)
            return bytes(stored.value)

    def put(self, uri: str, body: bytes) -> None:
        """Write an object; raise `ObjectMissingError` when there is no such bucket."""
        bucket, key = _split(uri)
        with self._store.lock:
            if bucket not in self._backend().buckets:
                raise ObjectMissingError(uri)
            self._backend().put_object(bucket, key, body)

    def _backend(self) -> Any:
        return s3_backends[self._account]["aws"]


def _split(uri: str) -> tuple[str, str]:
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket or not key:
        raise ObjectMissingError(uri)
    return bucket, key
