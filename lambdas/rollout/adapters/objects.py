"""Objects in S3: listed, read, and written once."""

from collections.abc import Callable, Iterator
from typing import Any

from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.errors import MissingError, TooLargeError

_NO_OBJECT = frozenset({"404", "NoSuchKey"})
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


def pages(client: Callable[[], Any], **request: Any) -> Iterator[dict[str, Any]]:
    """Yield the answers to a request for a list (ListObjectsV2), until all is listed."""
    while True:
        with translated():
            page = client().list_objects_v2(**request)
        yield page
        if not page.get("NextContinuationToken"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]


def opened(client: Callable[[], Any], bucket: str, key: str) -> Any:
    """Return an object's content, to be read.

    Raises
    ------
    MissingError
        When there is no such object.
    """
    from botocore.exceptions import ClientError

    with translated():
        try:
            return client().get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            if code_of(error) in _NO_OBJECT:
                raise MissingError(f"s3://{bucket}/{key} is not there") from error
            raise


def read(client: Callable[[], Any], bucket: str, key: str, most: int | None = None) -> bytes:
    """Return an object's content.

    Parameters
    ----------
    client
        Returns S3's client.
    bucket, key
        Where it lies.
    most
        How many bytes it may have; any number when None.

    Raises
    ------
    MissingError
        When there is no such object.
    TooLargeError
        When it has more bytes.
    """
    body = opened(client, bucket, key)
    with translated():
        content: bytes = body.read() if most is None else body.read(most + 1)
    if most is not None and len(content) > most:
        raise TooLargeError(
            f"s3://{bucket}/{key} has more than {most:,} bytes, the most that is read of it: look at what put it there"
        )
    return content


def write_once(client: Callable[[], Any], bucket: str, key: str, content: bytes, content_type: str) -> bool:
    """Write an object unless there is one; return whether it was written."""
    from botocore.exceptions import ClientError

    with translated():
        try:
            client().put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type, IfNoneMatch="*")
        except ClientError as error:
            if code_of(error) not in _TAKEN:
                raise
            return False
    return True
