"""Objects of batches in S3.

Needs s3:ListBucket on the buckets of the input and of the artefacts, and s3:GetObject and s3:PutObject below
``batch/<endpoint>/`` of the latter, with kms:Decrypt and kms:GenerateDataKey where that has a key of its own.
"""

from collections.abc import Iterator
from typing import Any

from lambdas.inference.batch.objects import Stored
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.errors import MissingError

_NO_OBJECT = frozenset({"404", "NoSuchKey"})
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_JSON = "application/json"


class S3Objects:
    """Implements `lambdas.inference.batch.ports.Objects`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("s3")

    def listed(self, bucket: str, prefix: str) -> Iterator[Stored]:
        """Yield the objects below a prefix, in the order of their keys."""
        request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
        while True:
            with translated():
                page = self._client().list_objects_v2(**request)
            for each in page.get("Contents", []):
                yield Stored(each["Key"], each["Size"], each["ETag"].strip('"'))
            if not page.get("NextContinuationToken"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def read(self, bucket: str, key: str) -> bytes:
        """Return an object."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                content: bytes = self._client().get_object(Bucket=bucket, Key=key)["Body"].read()
            except ClientError as error:
                if code_of(error) in _NO_OBJECT:
                    raise MissingError(f"s3://{bucket}/{key} is not there") from error
                raise
        return content

    def write(self, bucket: str, key: str, content: bytes) -> None:
        """Write a JSON document."""
        with translated():
            self._client().put_object(Bucket=bucket, Key=key, Body=content, ContentType=_JSON)

    def write_once(self, bucket: str, key: str, content: bytes) -> bytes:
        """Write a JSON document unless there is one; return what is there."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                self._client().put_object(Bucket=bucket, Key=key, Body=content, ContentType=_JSON, IfNoneMatch="*")
            except ClientError as error:
                if code_of(error) not in _TAKEN:
                    raise
                return self.read(bucket, key)
        return content
