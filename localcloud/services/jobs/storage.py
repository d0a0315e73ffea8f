"""S3 as a job's role sees it: what is copied into a job's folder, and out of it."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.services.jobs.records import JobFailureError

_COPIES_AT_A_TIME = 8

Copy = tuple[str, str, Path]
"""Bucket, key, and where it goes."""


class Source(NamedTuple):
    """An input object, and its path relative to the prefix that it was found by."""

    bucket: str
    key: str
    path: str

    @property
    def uri(self) -> str:
        """Return its URI."""
        return f"s3://{self.bucket}/{self.key}"


class RoleStorage:
    """Copies objects under a role.

    Parameters
    ----------
    s3
        boto3 client of the role's.
    """

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def fetch_prefix(self, uri: str, folder: Path, *, may_be_empty: bool = False) -> None:
        """Copy all objects whose keys begin with the URI's; `JobFailureError` when there are none, or no access."""
        with _telling("Data download failed", uri):
            sources = self.under_prefix(uri, may_be_empty=may_be_empty)
            self._fetch([(each.bucket, each.key, folder / each.path) for each in sources])

    def fetch_manifest(self, uri: str, folder: Path) -> None:
        """Copy the objects that a manifest names, under their paths relative to its prefix."""
        with _telling("Data download failed", uri):
            sources = self.in_manifest(uri)
            self._fetch([(each.bucket, each.key, _inside(folder, each.path, uri)) for each in sources])

    def under_prefix(self, uri: str, *, may_be_empty: bool = False) -> list[Source]:
        """Return the objects whose keys begin with the URI's, in the order of their keys."""
        bucket, prefix = split(uri)
        with _telling("Data download failed", uri):
            found = [Source(bucket, key, _relative(key, prefix)) for key in self._keys(bucket, prefix)]
        if not found and not may_be_empty:
            reason = f'No S3 objects found under S3 URL "{uri}" given in input data source.'
            raise JobFailureError(f"ClientError: {reason}")
        return found

    def in_manifest(self, uri: str) -> list[Source]:
        """Return the objects that a manifest names, in its order."""
        with _telling("Data download failed", uri):
            prefix, files = _manifest(uri, self.read(uri))
        bucket, beginning = split(prefix)
        return [Source(bucket, beginning + file, file) for file in files]

    def read(self, uri: str) -> bytes:
        """Return an object."""
        bucket, key = split(uri)
        with _telling("Data download failed", uri):
            content: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def fetch(self, source: Source, path: Path) -> None:
        """Copy one object."""
        with _telling("Data download failed", source.uri):
            self._fetch_one((source.bucket, source.key, path))

    def put_folder(self, folder: Path, uri: str, key: str | None = None) -> int:
        """Copy all files of a folder to below the URI, and return how many they were."""
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()] if folder.is_dir() else []
        base = uri.rstrip("/")
        with _telling("Failed to upload output data", uri), ThreadPoolExecutor(_COPIES_AT_A_TIME) as pool:
            list(pool.map(lambda path: self._put(path, f"{base}/{path.relative_to(folder).as_posix()}", key), files))
        return len(files)

    def put_file(self, path: Path, uri: str, key: str | None = None) -> None:
        """Copy one file."""
        with _telling("Failed to upload output data", uri):
            self._put(path, uri, key)

    def _put(self, path: Path, uri: str, key: str | None) -> None:
        bucket, name = split(uri)
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
        with path.open("rb") as file:
            self._s3.put_object(Bucket=bucket, Key=name, Body=file, **encryption)

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                if not item["Key"].endswith("/"):  # what consoles make for folders
                    yield item["Key"]

    def _fetch(self, copies: list[Copy]) -> None:
        with ThreadPoolExecutor(_COPIES_AT_A_TIME) as pool:
            list(pool.map(self._fetch_one, copies))

    def _fetch_one(self, copy: Copy) -> None:
        bucket, key, path = copy
        path.parent.mkdir(parents=True, exist_ok=True)
        body = self._s3.get_object(Bucket=bucket, Key=key)["Body"]
        with path.open("wb") as file:
            for chunk in body.iter_chunks(1 << 20):
                file.write(chunk)


class _telling:
    """Turn what AWS answers into the reason why a job fails, as SageMaker words it."""

    def __init__(self, what: str, uri: str) -> None:
        self._what = what
        self._uri = uri

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, ClientError):
            status = error.response["ResponseMetadata"].get("HTTPStatusCode")
            told = error.response["Error"]
            reason = f"{told.get('Code')} ({status}): {told.get('Message')}"
            raise JobFailureError(f"ClientError: {self._what}:{reason} ({self._uri})") from error
        if isinstance(error, BotoCoreError | OSError):
            raise JobFailureError(f"ClientError: {self._what}: {error} ({self._uri})") from error


def split(uri: str) -> tuple[str, str]:
    """Return bucket and key of an ``s3://`` URI."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise JobFailureError(f"ClientError: {uri!r} is not an S3 URI such as s3://bucket/prefix")
    return bucket, key


def _relative(key: str, prefix: str) -> str:
    """Return the path below an input's folder: what follows the prefix, or the name of the one object that it is."""
    if key.startswith(f"{prefix.rstrip('/')}/") and key != prefix:
        return key[len(prefix.rstrip("/")) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def _manifest(uri: str, text: bytes) -> tuple[str, list[str]]:
    """Return prefix and relative paths of a manifest: ``[{"prefix": "s3://b/p/"}, "file", ...]``."""
    try:
        content = json.loads(text)
        first, *files = content
        prefix = first["prefix"]
    except (ValueError, KeyError, TypeError) as error:
        raise _bad_manifest(uri, "it must be a JSON list that begins with an object with a prefix") from error
    if not isinstance(prefix, str) or not prefix.startswith("s3://"):
        raise _bad_manifest(uri, f"its prefix {prefix!r} must be an S3 URI")
    if not files or not all(isinstance(file, str) and file for file in files):
        raise _bad_manifest(uri, "its prefix must be followed by one or more paths")
    return prefix, files


def _inside(folder: Path, file: str, uri: str) -> Path:
    path = folder / file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise _bad_manifest(uri, f"the path {file!r} leads out of the input's folder")
    return path


def _bad_manifest(uri: str, why: str) -> JobFailureError:
    return JobFailureError(f"ClientError: Manifest file {uri} is not in the correct format: {why}.")
