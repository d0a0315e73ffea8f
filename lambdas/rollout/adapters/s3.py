"""Emptying of versioned buckets."""

from collections.abc import Callable

from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import code_of, translated


class S3Buckets:
    """Buckets that are to be deleted."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("s3")

    def empty(self, bucket: str, has_time: Callable[[], bool]) -> bool:
        """Delete every version of every object and return whether nothing is left."""
        from botocore.exceptions import ClientError

        while has_time():
            try:
                if not self._delete_some(bucket):
                    return True
            except ClientError as error:
                if code_of(error) == "NoSuchBucket":
                    return True
                raise
        return False

    def _delete_some(self, bucket: str) -> int:
        page = self._client().list_object_versions(Bucket=bucket)
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        doomed = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
        if doomed:
            with translated():
                self._client().delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True})
        return len(doomed)
