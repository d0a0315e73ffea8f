"""Objects of batches in S3.

Needs s3:ListBucket on the buckets of the input and of the artefacts, and s3:GetObject and s3:PutObject below
``batch/<endpoint>/`` of the latter, with kms:Decrypt and kms:GenerateDataKey where that has a key of its own.
"""

from collections.abc import Iterator

from lambdas.inference.batch.objects import Stored
from lambdas.rollout.adapters import objects
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated

_JSON = "application/json"


class S3Objects:
    """Implements `lambdas.inference.batch.ports.Objects`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("s3")

    def listed(self, bucket: str, prefix: str) -> Iterator[Stored]:
        """Yield the objects below a prefix, in the order of their keys."""
        for page in objects.pages(self._client, Bucket=bucket, Prefix=prefix):
            for each in page.get("Contents", []):
                yield Stored(each["Key"], each["Size"], each["ETag"].strip('"'))

    def read(self, bucket: str, key: str) -> bytes:
        """Return an object."""
        return objects.read(self._client, bucket, key)

    def write(self, bucket: str, key: str, content: bytes) -> None:
        """Write a JSON document."""
        with translated():
            self._client().put_object(Bucket=bucket, Key=key, Body=content, ContentType=_JSON)

    def write_once(self, bucket: str, key: str, content: bytes) -> bytes:
        """Write a JSON document unless there is one; return what is there."""
        is_ours = objects.write_once(self._client, bucket, key, content, _JSON)
        return content if is_ours else self.read(bucket, key)
