"""The baseline in a model's archive, by which the drift monitor judges the traffic of a version."""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.errors import ProfileError
from tidegate.errors import UsageError

NAME = "baseline.json"
MOST_BYTES = 64 * 1024**2
_WAY_OUT = "make it anew from the rows that the model was trained on, as docs/drift.md says, or leave it out"


def read(model: Path) -> bytes | None:
    """Return what is at an archive's root under the baseline's name; None where there is nothing.

    Raises
    ------
    UsageError
        If the monitor could not read it: whoever registers a model should learn of that before it is live.
    """
    with tarfile.open(model, "r:gz") as archive:
        for member in archive:
            if PurePosixPath(member.name) == PurePosixPath(NAME):
                return _checked(model, archive, member)
    return None


def _checked(model: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(member) if member.size <= MOST_BYTES else None
    if content is None:
        raise UsageError(f"{NAME} in {model} is no plain file of at most {MOST_BYTES:,} bytes", _WAY_OUT)
    text = content.read()
    try:
        Baseline.of_text(text)
    except ProfileError as error:
        raise UsageError(f"{NAME} in {model} cannot be read: {error}", _WAY_OUT) from error
    return text


_WAY_OUT = (
    "make it anew from the rows that the model was trained on (lambdas/monitoring/profile/build.py), or leave it out"
)
