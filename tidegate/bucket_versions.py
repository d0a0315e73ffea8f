"""Objects of a bucket that keeps what was overwritten and deleted, and how they are deleted for good."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tidegate.aws import Aws
from tidegate.errors import OperatorError

_AT_ONCE = 1000


@dataclass(frozen=True)
class Version:
    """A version of an object, or the mark of its deletion.

    Parameters
    ----------
    key, id
        What it is known by.
    size
        In bytes; 0 of a mark.
    latest
        Whether it is what the key stands for now.
    marks
        Whether it only marks that the object was deleted.
    """

    key: str
    id: str
    size: int
    latest: bool
    marks: bool = False


def versions(aws: Aws, bucket: str, prefix: str) -> Iterator[Version]:
    """Yield all versions of the objects below a prefix."""
    for page in aws.s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Versions", []):
            yield Version(each["Key"], each["VersionId"], each["Size"], each["IsLatest"])
        for mark in page.get("DeleteMarkers", []):
            yield Version(mark["Key"], mark["VersionId"], 0, mark["IsLatest"], marks=True)


def delete_all(aws: Aws, bucket: str, doomed: Iterable[Version]) -> int:
    """Delete versions for good, and return how many there were.

    Raises
    ------
    OperatorError
        When one of them could not be deleted.
    """
    count, rest = 0, iter(list(doomed))
    while some := list(islice(rest, _AT_ONCE)):
        _delete(aws, bucket, some)
        count += len(some)
    return count


def _delete(aws: Aws, bucket: str, some: Sequence[Version]) -> None:
    objects: Any = [{"Key": each.key, "VersionId": each.id} for each in some]
    answer = aws.s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    for error in answer.get("Errors", []):
        raise OperatorError(
            f"s3://{bucket}/{error.get('Key')} could not be deleted: {error.get('Code')}: {error.get('Message')}",
            "your identity needs s3:DeleteObject and s3:DeleteObjectVersion there; then give the command again",
        )
