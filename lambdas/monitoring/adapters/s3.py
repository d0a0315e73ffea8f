"""Captures, labels, baselines and reports in S3."""

import zlib
from collections.abc import Iterator

from lambdas.monitoring.adapters.clients import lazy
from lambdas.monitoring.errors import MissingError, PermanentError
from lambdas.monitoring.ports import StoredFile
from lambdas.rollout.adapters import objects
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated

_PIECE = 1024 * 1024
_PACKED = ".gz"
_GZIP = 16 + zlib.MAX_WBITS
_BROKEN = b"\n{\n"
"""Stands for what a damaged archive lost: a line that is counted as truncated. What came before it is still good."""


class S3Files:
    """Implements `lambdas.monitoring.ports.Files`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or lazy("s3")

    def folders(self, bucket: str, prefix: str) -> list[str]:
        """Return the prefixes one level below a prefix that ends in a slash."""
        pages = objects.pages(self._client, Bucket=bucket, Prefix=prefix, Delimiter="/")
        return [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]

    def below(self, bucket: str, prefix: str) -> Iterator[StoredFile]:
        """Yield what lies below a prefix."""
        for page in objects.pages(self._client, Bucket=bucket, Prefix=prefix):
            for each in page.get("Contents", []):
                yield StoredFile(each["Key"], each["Size"], each["LastModified"].timestamp())

    def pieces(self, bucket: str, key: str) -> Iterator[bytes]:
        """Yield an object's content, unpacked if its key ends in ``.gz``."""
        content = self._pieces(bucket, key)
        return _unpacked(content) if key.endswith(_PACKED) else content

    def read(self, uri: str) -> bytes | None:
        """Return an object that is small; None when there is none."""
        bucket, key = split_uri(uri)
        try:
            return b"".join(self._pieces(bucket, key))
        except MissingError:
            return None

    def write(self, bucket: str, key: str, body: bytes, content_type: str) -> str:
        """Write an object, and return its URI."""
        with translated():
            self._client().put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
        return f"s3://{bucket}/{key}"

    def _pieces(self, bucket: str, key: str) -> Iterator[bytes]:
        body = objects.opened(self._client, bucket, key)
        try:
            while True:
                with translated():
                    piece = body.read(_PIECE)
                if not piece:
                    return
                yield piece
        finally:
            body.close()


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an S3 URI.

    Raises
    ------
    PermanentError
        When it is none.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise PermanentError(f"{uri!r} is no URI of an S3 object; write s3://<bucket>/<key>")
    return bucket, key


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what gzip packed, in pieces; several archives may follow one another, as Firehose writes them."""
    unpacking = zlib.decompressobj(_GZIP)
    try:
        for piece in pieces:
            rest = piece
            while rest:
                if unpacking.eof:
                    unpacking = zlib.decompressobj(_GZIP)
                yield unpacking.decompress(rest, _PIECE)
                rest = unpacking.unconsumed_tail or unpacking.unused_data
        yield unpacking.flush()
    except zlib.error:
        yield _BROKEN
