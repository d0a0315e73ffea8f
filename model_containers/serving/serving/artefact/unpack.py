"""Unpacking a model's archive, which may be anybody's."""

import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path

from .errors import ArtefactError

MAX_BYTES = 64 * 1024**3
"""What an archive may hold, unpacked. Beyond it, and beyond what the disk has, nothing is written."""
MAX_FILES = 10_000
_WAY_OUT = "pack it again (tar czf model.tar.gz -C <folder> .), or set TIDEGATE_SCRATCH to a folder that can be written"


def unpack(archive: Path, scratch: Path, max_bytes: int = MAX_BYTES) -> Path:
    """Unpack a ``tar.gz`` into a new folder within `scratch`, and return that.

    Only files and folders are taken, and those only by the rules of ``tarfile``'s ``data`` filter: nothing outside the
    folder, no devices, no odd permissions. Links are refused altogether. A model needs none, and that filter could be
    got round with them until Python 3.12.11 (CVE-2025-4517 and others).

    Parameters
    ----------
    archive
        A gzipped tar archive.
    scratch
        A writable folder.
    max_bytes
        How much the archive may hold.

    Raises
    ------
    ArtefactError
        If the archive is damaged, too large, or holds what a model's archive must not; nothing of it is left behind.
    """
    folder = None
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="model-", dir=scratch))
        _extract(archive, folder, min(max_bytes, shutil.disk_usage(scratch).free))
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        _remove(folder)
        raise ArtefactError(
            f"{archive} cannot be unpacked into {scratch}: {error or type(error).__name__}; {_WAY_OUT}"
        ) from error
    except ArtefactError:
        _remove(folder)
        raise
    return folder


def _extract(archive: Path, folder: Path, room: int) -> None:
    size = files = 0
    # As a stream: each byte is decompressed once, and a member is looked at before it is written.
    with tarfile.open(archive, "r|gz") as members:
        for member in members:
            size, files = size + member.size, files + 1
            if not (member.isreg() or member.isdir()):
                raise ArtefactError(
                    f"{archive}: {member.name!r} is neither a file nor a folder; pack copies, not links"
                )
            if size > room:
                raise ArtefactError(
                    f"{archive} holds more than the {room} bytes that there is room for; set TIDEGATE_SCRATCH to a "
                    "folder on a larger disk"
                )
            if files > MAX_FILES:
                raise ArtefactError(f"{archive} holds more than {MAX_FILES} files; pack the model's alone")
            members.extract(member, folder, filter="data")


def _remove(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
