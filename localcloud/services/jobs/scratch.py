"""The folder that stands for /opt/ml of one job."""

import re
import shutil
from pathlib import Path, PurePosixPath

from localcloud.errors import AwsError

ML_ROOT = "/opt/ml"
# A path on its own or behind a sign (--data=/opt/ml/x), not the end of another one (s3://bucket/opt/ml).
_MENTION = re.compile(rf"(?<![\w/.-]){ML_ROOT}(?=/|$)")


class Scratch:
    """A job's file system below /opt/ml.

    Parameters
    ----------
    root
        Folder that stands for /opt/ml.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, local_path: str) -> Path:
        """Return the place of a path of the container's, which `check_local_path` has admitted."""
        return self.root.joinpath(*PurePosixPath(local_path).relative_to(ML_ROOT).parts)

    def folder(self, local_path: str) -> Path:
        """Return the place of a folder of the container's, and make it."""
        path = self.path(local_path)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, local_path: str, text: str) -> None:
        """Write a file."""
        self.folder(str(PurePosixPath(local_path).parent))
        self.path(local_path).write_text(text, encoding="utf-8")

    def read(self, local_path: str, most: int) -> str | None:
        """Return the first characters of a file; None if there is none."""
        path = self.path(local_path)
        if not path.is_file():
            return None
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(most)

    def localised(self, text: str) -> str:
        """Return `text` with paths under /opt/ml as they are here."""
        return _MENTION.sub(lambda _: str(self.root), text)

    def clear(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.root, ignore_errors=True)


def check_local_path(local_path: str, below: str, what: str) -> None:
    """Refuse a path that does not lie below `below`, itself in /opt/ml."""
    path = PurePosixPath(local_path)
    if not path.is_relative_to(below) or ".." in path.parts:
        message = f"{what} {local_path!r} is invalid: it must be a path below {below}"
        raise AwsError("ValidationException", message)
