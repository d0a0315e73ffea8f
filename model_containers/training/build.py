"""Builds artefacts of versions into a folder each, and leaves alone what is current."""

import hashlib
import logging
import sys
from collections.abc import Iterable
from importlib.metadata import version as library_version
from pathlib import Path

from . import artefact, dataset
from .versions import LIBRARIES, VERSIONS, train

LOGGER = logging.getLogger(__name__)
STAMP = "inputs.sha256"


def build(output: Path, versions: Iterable[str] = tuple(VERSIONS)) -> list[str]:
    """Build versions into ``output/<version>/{model.tar.gz,model_card.json}``; return those that were not current."""
    digest = inputs_digest()
    stale = [version for version in versions if not _is_current(output / version, digest)]
    for version in stale:
        _build_one(output / version, version, digest)
    return stale


def packed(version: str) -> dict[str, bytes]:
    """Train a version; return its archive and its card, by file name."""
    days = dataset.load()
    content = artefact.files(train(version, days), days)
    return {artefact.ARCHIVE: artefact.archive(content), artefact.CARD: content[artefact.CARD]}


def inputs_digest() -> str:
    """Return a digest of all that an artefact depends on: this code, the data, the libraries."""
    digest = hashlib.sha256(sys.version.encode())
    for library in LIBRARIES:
        digest.update(f"{library}={library_version(library)};".encode())
    for path in [*sorted(Path(__file__).parent.glob("*.py")), dataset.PATH]:
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _build_one(folder: Path, version: str, digest: str) -> None:
    LOGGER.info("training %s", version)
    artefact.write(folder, packed(version))
    # Written last: an interrupted build is not current.
    artefact.write(folder, {STAMP: digest.encode()})


def _is_current(folder: Path, digest: str) -> bool:
    if not all((folder / name).is_file() for name in (artefact.ARCHIVE, artefact.CARD, STAMP)):
        return False
    return (folder / STAMP).read_text() == digest
