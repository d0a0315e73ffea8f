"""A model's artefact as a container sees it: a read-only folder."""

import gzip
import io
import os
import shutil
import stat
import tarfile
import zlib
from pathlib import Path

from localcloud.physics.ports import ModelArchiveError


def extract_model(archive: bytes | None, folder: Path) -> None:
    """Extract a tar.gz into `folder`, and take away write permission; no archive makes an empty folder.

    Raises
    ------
    ModelArchiveError
        If it is not a tar.gz, or holds paths that lead out of the folder.
    """
    folder.mkdir(parents=True)
    if archive is not None:
        try:
            with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
                tar.extractall(folder, filter="data")
        except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            remove_model(folder)
            raise ModelArchiveError(str(error)) from error
    _set_writable(folder, writable=False)


def remove_model(folder: Path) -> None:
    """Delete an extracted model."""
    if folder.exists():
        _set_writable(folder, writable=True)
        shutil.rmtree(folder, ignore_errors=True)


def _set_writable(folder: Path, *, writable: bool) -> None:
    for root, _, names in os.walk(folder):
        for path in (root, *(os.path.join(root, name) for name in names)):
            mode = os.stat(path).st_mode
            os.chmod(path, mode | stat.S_IWUSR if writable else mode & ~0o222)
