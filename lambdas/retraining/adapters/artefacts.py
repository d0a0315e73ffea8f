"""Artefacts in S3: read through, copied with a checksum, and written once."""

import hashlib
import tarfile
import zlib
from typing import Any

from lambdas.retraining.adapters.clients import lazy
from lambdas.retraining.concluding import Unpacked
from lambdas.rollout.adapters.clients import Lazy, time_limit
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.adapters.trust import KmsTrust
from lambdas.rollout.errors import MissingError, PermanentError

_NO_OBJECT = frozenset({"404", "NoSuchKey"})
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_SMALL = 16 * 1024 * 1024
_CHUNK = 1024 * 1024


class S3Artefacts:
    """Implements `lambdas.retraining.concluding.Artefacts`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or lazy("s3")

    def read(self, uri: str) -> bytes:
        """Return a small object."""
        content: bytes = self._opened(uri).read(_SMALL + 1)
        if len(content) > _SMALL:
            raise PermanentError(f"{uri} has more than {_SMALL:,} bytes, which no such file has")
        return content

    def write(self, uri: str, content: bytes, content_type: str) -> None:
        """Write an object."""
        with translated():
            self._client().put_object(**_place(uri), Body=content, ContentType=content_type)

    def write_once(self, uri: str, content: bytes, content_type: str) -> bytes:
        """Write an object unless there is one; return what is there."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                self._client().put_object(**_place(uri), Body=content, ContentType=content_type, IfNoneMatch="*")
            except ClientError as error:
                if code_of(error) not in _TAKEN:
                    raise
                return self.read(uri)
        return content

    def unpack(self, uri: str, names: tuple[str, ...]) -> Unpacked:
        """Read an archive through, once: its digest, and the small files of some names in it."""
        source = _Hashing(self._opened(uri))
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
        with translated():
            self._client().copy_object(**_place(target), CopySource=_place(source), ChecksumAlgorithm="SHA256")
        found = KmsTrust(s3=self._client).sha256(target)
        if found != sha256:
            raise PermanentError(f"{target} has the sha256 {found}, but {sha256} was read: it was changed meanwhile")

    def _opened(self, uri: str) -> Any:
        from botocore.exceptions import ClientError

        with translated():
            try:
                return self._client().get_object(**_place(uri))["Body"]
            except ClientError as error:
                if code_of(error) in _NO_OBJECT:
                    raise MissingError(f"{uri} is not there") from error
                raise


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


def _place(uri: str) -> dict[str, str]:
    if not uri.startswith("s3://"):
        raise PermanentError(f"{uri} is not in S3")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}
