"""The artefact bucket."""

from collections.abc import Iterator

from lambdas.retraining.ports import Stored
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.errors import MissingError

_NO_OBJECT = frozenset({"404", "NoSuchKey"})
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
        request = {"Bucket": bucket, "Prefix": prefix}
        while True:
            with translated():
                page = self._client().list_objects_v2(**request)
            for each in page.get("Contents", []):
                yield Stored(each["Key"], each["Size"])
            if not page.get("NextContinuationToken"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def read(self, bucket: str, key: str) -> bytes:
        """Return a small object."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                content: bytes = self._client().get_object(Bucket=bucket, Key=key)["Body"].read(_MOST_BYTES)
            except ClientError as error:
                if code_of(error) in _NO_OBJECT:
                    raise MissingError(f"s3://{bucket}/{key} is not there") from error
                raise
        return content

    def write(self, bucket: str, key: str, content: bytes, content_type: str) -> None:
        """Write an object."""
        with translated():
            self._client().put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)
