"""The artefact bucket."""

from collections.abc import Iterator

from lambdas.retraining.ports import Stored
from lambdas.rollout.adapters import objects
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated

_MOST_BYTES = 1024 * 1024


class S3Files:
    """Implements `lambdas.retraining.ports.Files`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("s3")

    def folders(self, bucket: str, prefix: str) -> list[str]:
        """Return the prefixes one level below a prefix."""
        with translated():
            page = self._client().list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/")
        return [each["Prefix"] for each in page.get("CommonPrefixes", [])]

    def objects(self, bucket: str, prefix: str) -> Iterator[Stored]:
        """Yield the objects below a prefix, in the order of their keys."""
        for page in objects.pages(self._client, Bucket=bucket, Prefix=prefix):
            for each in page.get("Contents", []):
                yield Stored(each["Key"], each["Size"])

    def read(self, bucket: str, key: str) -> bytes:
        """Return a small object."""
        return objects.read(self._client, bucket, key, _MOST_BYTES)

    def write(self, bucket: str, key: str, content: bytes, content_type: str) -> None:
        """Write an object."""
        with translated():
            self._client().put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)
