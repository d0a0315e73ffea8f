"""Publishing a stack's assets: files and folders to S3, container images to the image registry."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from localcloud.deploy.errors import AssemblyError
from localcloud.deploy.scope import Access

_EPOCH = (1980, 1, 1, 0, 0, 0)
_ABSENT = {"404", "NoSuchBucket", "NoSuchKey", "NotFound"}


class ImageRegistry(Protocol):
    """Where container images are known by their URI."""

    def register(self, uri: str, folder: Path, dockerfile: str) -> Any:
        """Make the image built from `folder` known as `uri`."""


@dataclass(frozen=True)
class Publisher:
    """Publishes the assets of asset manifests, each one only if it is not there yet."""

    access: Access
    images: ImageRegistry

    def publish(self, manifest_path: Path) -> None:
        """Publish everything that the manifest lists."""
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
        for asset in manifest.get("files", {}).values():
            for destination in asset["destinations"].values():
                self._publish_file(manifest_path.parent, asset, destination)
        for asset in manifest.get("dockerImages", {}).values():
            for destination in asset["destinations"].values():
                self._publish_image(manifest_path.parent, asset, destination)

    def _publish_file(self, folder: Path, asset: Mapping[str, Any], destination: Mapping[str, Any]) -> None:
        bucket = self._fill(destination["bucketName"])
        key = self._fill(destination["objectKey"])
        s3 = self.access.client("s3")
        if not _exists(lambda: s3.head_bucket(Bucket=bucket)):
            _create_bucket(s3, bucket, self.access.region)
        if not _exists(lambda: s3.head_object(Bucket=bucket, Key=key)):
            s3.put_object(Bucket=bucket, Key=key, Body=_content(folder, asset["source"]))

    def _publish_image(self, folder: Path, asset: Mapping[str, Any], destination: Mapping[str, Any]) -> None:
        source = asset["source"]
        if "directory" not in source:
            raise AssemblyError(f"image asset {source!r}: only a folder with a Dockerfile is handled")
        access = self.access
        registry = f"{access.account}.dkr.ecr.{access.region}.{access.url_suffix}"
        uri = f"{registry}/{self._fill(destination['repositoryName'])}:{self._fill(destination['imageTag'])}"
        self.images.register(uri, (folder / source["directory"]).resolve(), source.get("dockerFile", "Dockerfile"))

    def _fill(self, text: str) -> str:
        return (
            text.replace("${AWS::AccountId}", self.access.account)
            .replace("${AWS::Region}", self.access.region)
            .replace("${AWS::Partition}", self.access.partition)
        )


def _content(folder: Path, source: Mapping[str, Any]) -> bytes:
    if "path" not in source:
        raise AssemblyError(f"file asset {source!r}: only a file or a folder is handled")
    path = folder / source["path"]
    if not path.exists():
        raise AssemblyError(f"asset {path} is missing from the assembly")
    return zip_folder(path) if source.get("packaging", "file") == "zip" else path.read_bytes()


def zip_folder(folder: Path) -> bytes:
    """Return the folder as a zip file that depends on nothing but names, contents and the executable bit."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.writestr(_entry(folder, path), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _entry(folder: Path, path: Path) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
    mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    entry.external_attr = mode << 16
    return entry


def _exists(look: Callable[[], Any]) -> bool:
    try:
        look()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _ABSENT:
            return False
        raise
    return True


def _create_bucket(s3: Any, bucket: str, region: str) -> None:
    # us-east-1 is the one region that must not be named.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **place)
