"""Artefacts in S3: read through, copied with a checksum, and written once."""

import hashlib
import tarfile
import zlib
from typing import Any

from lambdas.retraining.adapters.clients import lazy
from lambdas.retraining.concluding import Unpacked
from lambdas.rollout.adapters import objects
from lambdas.rollout.adapters.clients import Lazy, time_limit
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.adapters.trust import KmsTrust
from lambdas.rollout.errors import PermanentError

_SMALL = 16 * 1024 * 1024
_CHUNK = 1024 * 1024


class S3Artefacts:
    """Implements `lambdas.retraining.concluding.Artefacts`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or lazy("s3")

    def read(self, uri: str) -> bytes:
        """Return a small object."""
        return objects.read(self._client, *_place(uri), _SMALL)

    def write(self, uri: str, content: bytes, content_type: str) -> None:
        """Write an object."""
        bucket, key = _place(uri)
        with translated():
            self._client().put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)

    def write_once(self, uri: str, content: bytes, content_type: str) -> bytes:
        """Write an object unless there is one; return what is there."""
        is_ours = objects.write_once(self._client, *_place(uri), content, content_type)
        return content if is_ours else self.read(uri)

    def unpack(self, uri: str, names: tuple[str, ...]) -> Unpacked:
        """Read an archive through, once: its digest, and the small files of some names in it."""
        source = _Hashing(objects.opened(self._client, *_place(uri)))
        readable: Any = source  # a stream is only ever read
        files: dict[str, bytes] = {}
        try:
            with translated(), tarfile.open(fileobj=readable, mode="r|gz") as archive:
                for member in archive:
                    name = member.name.removeprefix("./")
                    if name in names and member.isreg() and member.size <= _SMALL:
                        held = archive.extractfile(member)
                        files[name] = held.read() if held else b""
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise PermanentError(f"{uri} is no model archive: {error}") from error
        with translated():
            source.drain()
        return Unpacked(source.digest.hexdigest(), files)

    def copy(self, source: str, target: str, sha256: str) -> None:
        """Copy an object, of up to 5 GB, and make sure that what is there has the digest."""
        (from_bucket, from_key), (bucket, key) = _place(source), _place(target)
        place = {"Bucket": from_bucket, "Key": from_key}
        with translated():
            self._client().copy_object(Bucket=bucket, Key=key, CopySource=place, ChecksumAlgorithm="SHA256")
        found = KmsTrust(s3=self._client).sha256(target)
        if found != sha256:
            raise PermanentError(f"{target} has the sha256 {found}, but {sha256} was read: it was changed meanwhile")


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, body: Any) -> None:
        self._body, self.digest = body, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read some."""
        time_limit.check()
        content: bytes = self._body.read(size)
        self.digest.update(content)
        return content

    def drain(self) -> None:
        """Read what is left."""
        while self.read(_CHUNK):
            pass


def _place(uri: str) -> tuple[str, str]:
    if not uri.startswith("s3://"):
        raise PermanentError(f"{uri} is not in S3")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
