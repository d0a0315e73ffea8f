"""Deployment packages, unpacked once however many functions share them."""

import io
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from localcloud.errors import AwsError
from localcloud.physics.ports import ObjectMissingError
from localcloud.services.functions.function import Code

_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class CodeStore:
    """Turns the API's code parameters into a folder, which is read-only as a function's package is on AWS.

    Parameters
    ----------
    folder
        Where packages are unpacked.
    fetch
        Returns the object at an ``s3://`` URI.
    """

    def __init__(self, folder: Path, fetch: Callable[[str], bytes]) -> None:
        self._folder = folder
        self._fetch = fetch
        self._lock = threading.Lock()
        self._sealed: set[Path] = set()

    def unpack(self, params: Mapping[str, Any]) -> Code:
        """Return the code that ``ZipFile`` or ``S3Bucket`` and ``S3Key`` name."""
        package = self._package(params)
        digest = Code.digest(package)
        folder = self._folder / digest.replace("/", "_").rstrip("=")
        with self._lock:
            if not folder.exists():
                self._extract(package, folder)
            self._seal(folder)
        return Code(digest, len(package), folder)

    def close(self) -> None:
        """Make the folders writable again, so that whoever owns them can remove them."""
        with self._lock:
            for folder in self._sealed:
                for path in _tree(folder):
                    path.chmod(path.stat().st_mode | stat.S_IWUSR)
            self._sealed.clear()

    def _seal(self, folder: Path) -> None:
        if folder in self._sealed:
            return
        self._sealed.add(folder)
        for path in _tree(folder):
            path.chmod(path.stat().st_mode & ~_WRITABLE)

    def _package(self, params: Mapping[str, Any]) -> bytes:
        if params.get("ZipFile"):
            return bytes(params["ZipFile"])
        if not params.get("S3Bucket"):
            raise AwsError("InvalidParameterValueException", "Please provide ZipFile, or S3Bucket and S3Key")
        try:
            return self._fetch(f"s3://{params['S3Bucket']}/{params['S3Key']}")
        except ObjectMissingError as error:
            message = f"Error occurred while GetObject. S3 Error Code: NoSuchKey. {error} is not there"
            raise AwsError("InvalidParameterValueException", message) from error

    @staticmethod
    def _extract(package: bytes, folder: Path) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(package)) as archive:
                # Renamed into place, so that a half-unpacked folder is never taken for a whole one.
                unfinished = folder.with_suffix(".unfinished")
                archive.extractall(unfinished)
                unfinished.rename(folder)
        except zipfile.BadZipFile as error:
            raise AwsError("InvalidParameterValueException", "Could not unzip uploaded file.") from error


def _tree(folder: Path) -> Iterator[Path]:
    """Return a folder and all that is in it."""
    return chain([folder], folder.rglob("*"))
