"""Builds artefacts of versions into a folder each, and leaves alone what is current."""

import hashlib
import logging
import sys
from collections.abc import Iterable
from importlib.metadata import version as library_version
from pathlib import Path

from lambdas.monitoring import profile

from . import artefact, dataset
from .versions import BOOTSTRAP, LIBRARIES, RECENT, VERSIONS, train

LOGGER = logging.getLogger(__name__)
STAMP = "inputs.sha256"
BUILT = (artefact.ARCHIVE, artefact.CARD, artefact.BASELINE)
BOOTSTRAPS = {BOOTSTRAP: "rain", RECENT: "rain-recent"}
"""Versions that are committed for first deployments, and the folder of each."""

BOOTSTRAP_FOLDER = Path(__file__).parents[1] / "bootstrap"

_LIBRARY = Path(profile.__file__).parent
# The pipeline's definition makes no model.
_SOURCES = [path for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("pipeline")]


def build(output: Path, versions: Iterable[str] = tuple(VERSIONS)) -> list[str]:
    """Build versions into ``output/<version>/{model.tar.gz,model_card.json,baseline.json}``.

    Returns
    -------
    list of str
        The versions that were not current.
    """
    digest = inputs_digest()
    stale = [version for version in versions if not _is_current(output / version, digest)]
    for version in stale:
        _build_one(output / version, version, digest)
    return stale


def packed(version: str) -> dict[str, bytes]:
    """Train a version; return its archive, its card and its baseline, by file name."""
    content = _files(version)
    content[artefact.ARCHIVE] = artefact.archive(content)
    return {name: content[name] for name in BUILT}


def write_files(version: str, folder: Path) -> None:
    """Train a version; write the files that its archive holds into a folder."""
    artefact.write(folder, _files(version))


def write_bootstraps() -> None:
    """Remake the artefacts that are committed for first deployments."""
    for version, name in BOOTSTRAPS.items():
        artefact.write(BOOTSTRAP_FOLDER / name, packed(version))


def inputs_digest() -> str:
    """Return a digest of all that an artefact depends on: this code, the data, the libraries."""
    digest = hashlib.sha256(sys.version.encode())
    for library in LIBRARIES:
        digest.update(f"{library}={library_version(library)};".encode())
    for path in [*sorted(_SOURCES), *sorted(_LIBRARY.glob("*.py")), dataset.PATH]:
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(version: str) -> dict[str, bytes]:
    days = dataset.load()
    return artefact.files(train(version, days), days)


def _build_one(folder: Path, version: str, digest: str) -> None:
    LOGGER.info("training %s", version)
    artefact.write(folder, packed(version))
    # Written last: an interrupted build is not current.
    artefact.write(folder, {STAMP: digest.encode()})


def _is_current(folder: Path, digest: str) -> bool:
    if not all((folder / name).is_file() for name in (*BUILT, STAMP)):
        return False
    return (folder / STAMP).read_text() == digest
