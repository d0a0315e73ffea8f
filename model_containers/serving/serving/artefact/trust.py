"""Whether a model's files are those that were approved."""

import hmac
import json
import re
from dataclasses import dataclass
from pathlib import Path

from .detached import verify
from .errors import ArtefactError
from .inventory import DETACHED_SIGNATURE, Inventory

MANIFEST = "digests.json"
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_NAMES_SHOWN = 5


@dataclass(frozen=True)
class Trust:
    """What a model's files are held against.

    Parameters
    ----------
    digest
        The digest that they must have, with or without ``sha256:``; any, if None.
    public_key
        A public key as PEM, or the path of a file with one: ``model.sig`` must verify with it. None asks for none.

    Raises
    ------
    ArtefactError
        If `digest` is not a digest.
    """

    digest: str | None = None
    public_key: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no model could have."""
        if self.digest is not None and not _DIGEST.fullmatch(self.digest.lower()):
            form = (
                "needed is sha256: and 64 hexadecimal digits, as `python -m serving digest --model-dir <folder>` prints"
            )
            raise ArtefactError(f"TIDEGATE_MODEL_DIGEST is {self.digest!r}; {form}")

    def check(self, folder: Path, inventory: Inventory) -> None:
        """Hold the files of `folder`, of which `inventory` was taken, against the rest.

        Raises
        ------
        ArtefactError
            If they are not those that were approved.
        """
        self._check_digest(inventory.digest)
        _check_manifest(folder, inventory)
        if self.public_key is not None:
            verify(self.public_key, folder / DETACHED_SIGNATURE, inventory.digest)

    def _check_digest(self, found: str) -> None:
        if self.digest is None:
            return
        wanted = "sha256:" + self.digest.lower().removeprefix("sha256:")
        if not hmac.compare_digest(found, wanted):
            way_out = (
                "deploy the files that were approved; or, if these are they, set TIDEGATE_MODEL_DIGEST to the former"
            )
            raise ArtefactError(f"the model's digest is {found}, but TIDEGATE_MODEL_DIGEST is {wanted}: {way_out}")


def _check_manifest(folder: Path, inventory: Inventory) -> None:
    """Hold the files against ``digests.json``, if there is one: an object of SHA-256 by path that names all others."""
    found = inventory.by_path
    if found.pop(MANIFEST, None) is None:
        return
    listed = _listed(folder / MANIFEST)
    changed = sorted(path for path in listed.keys() & found.keys() if listed[path] != found[path])
    complaints = [
        *(f"{path} has SHA-256 {found[path]}, not {listed[path]}" for path in changed[:_NAMES_SHOWN]),
        *(f"{path} is missing" for path in sorted(listed.keys() - found.keys())[:_NAMES_SHOWN]),
        *(f"{path} is not listed" for path in sorted(found.keys() - listed.keys())[:_NAMES_SHOWN]),
    ]
    if complaints:
        raise ArtefactError(f"the files are not those of their {MANIFEST}: {'; '.join(complaints)}; pack them again")


def _listed(path: Path) -> dict[str, str]:
    try:
        listed = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{path} cannot be read: {error}; pack the model again") from error
    if not isinstance(listed, dict):
        raise ArtefactError(f"{path} is not an object of SHA-256 digests by path; pack the model again")
    named = {name: str(each).lower().removeprefix("sha256:") for name, each in listed.items()}
    return {name: each for name, each in named.items() if name not in (MANIFEST, DETACHED_SIGNATURE)}
