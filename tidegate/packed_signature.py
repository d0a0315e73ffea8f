"""The signature in a model's archive, by which the front door refuses what the model would not take."""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

from tidegate.errors import UsageError

NAME = "signature.json"
MOST_BYTES = 350_000
"""It is kept in an item of a table."""


def read(model: Path) -> bytes:
    """Return what is at an archive's root under the signature's name.

    Raises
    ------
    UsageError
        If there is none that could be used.
    """
    with tarfile.open(model, "r:gz") as archive:
        for member in archive:
            if PurePosixPath(member.name) == PurePosixPath(NAME):
                content = archive.extractfile(member) if member.size <= MOST_BYTES else None
                if content is not None:
                    return content.read()
    raise UsageError(
        f"{NAME} in {model} is no plain file of at most {MOST_BYTES:,} bytes",
        "export the model again, and pack what that has written",
    )
