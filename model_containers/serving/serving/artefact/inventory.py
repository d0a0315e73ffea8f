"""What a model's folder holds, file by file, and the one digest that stands for all of it.

The digest is the SHA-256 of a text with a line for each file, sorted by path (in the order of its UTF-8 bytes)::

    <SHA-256 of the content, in hexadecimal> <size in bytes> <path, with / between folders>

and each line ended by a line feed. So it changes with any file's content, size or path, files can be hashed side by
side, and it is the same for a folder and for an archive of it. Left out is ``model.sig`` alone, which signs the digest.
"""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .errors import ArtefactError

ALGORITHM = "sha256"
DETACHED_SIGNATURE = "model.sig"
# Larger than a disk's read-ahead, small enough for a core's cache.
_BUFFER_BYTES = 1024 * 1024
_THREADS = 4


@dataclass(frozen=True)
class Entry:
    """One file: its path from the model's folder, its size in bytes, and the SHA-256 of its content."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Inventory:
    """All files of a model, sorted by path."""

    entries: tuple[Entry, ...]

    @property
    def digest(self) -> str:
        """The digest of all of them, as ``sha256:`` and 64 hexadecimal digits."""
        lines = (f"{each.sha256} {each.size} {each.path}\n" for each in self.entries)
        return f"{ALGORITHM}:{hashlib.sha256(''.join(lines).encode(errors='surrogateescape')).hexdigest()}"

    @property
    def by_path(self) -> dict[str, str]:
        """The SHA-256 of each file by its path."""
        return {each.path: each.sha256 for each in self.entries}


def take(folder: Path) -> Inventory:
    """Read all files of a folder.

    A link to a file counts as that file. Pipes and devices have no content and do not count.

    Raises
    ------
    ArtefactError
        If a file cannot be read or named, or a folder is a link, behind which anything might lie.
    """
    try:
        paths = sorted(_files(folder), key=os.fsencode)
        # hashlib lets go of the interpreter lock, so files are hashed side by side.
        with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1), thread_name_prefix="digest") as threads:
            return Inventory(tuple(threads.map(lambda path: _entry(folder, path), paths)))
    except OSError as error:
        raise ArtefactError(f"the model's files in {folder} cannot be read: {error}; make them readable") from error


def _files(folder: Path) -> Iterator[str]:
    for parent, folders, names in os.walk(folder, onerror=_fail):
        for name in folders:
            if (link := Path(parent, name)).is_symlink():
                raise ArtefactError(f"{link} is a link to a folder; put the folder itself there")
        for name in names:
            found = Path(parent, name)
            path = found.relative_to(folder).as_posix()
            if "\n" in path:
                raise ArtefactError(f"the name {path!r} holds a line break; rename that file")
            if path != DETACHED_SIGNATURE and found.is_file():
                yield path


def _fail(error: OSError) -> None:
    raise error


def _entry(folder: Path, path: str) -> Entry:
    size, content = 0, hashlib.sha256()
    buffer = bytearray(_BUFFER_BYTES)
    view = memoryview(buffer)
    with open(folder / path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            content.update(view[:count])
            size += count
    return Entry(path, size, content.hexdigest())
