"""The demo's model versions: trained here, and recognised by what they contain."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate.aws import Aws
from tidegate.live import BOOTSTRAP, NameVersion
from tidegate.local.assembly import run_module
from tidegate.local.launch import CHECKOUT
from tidegate.registry import ARTEFACT_NAME, sha256

FOLDER = Path("build/models")
CARD_NAME = "model_card.json"
BEFORE, GOOD, BAD, WRONG = "1.0.0", "1.1.0", "1.2.0", "1.3.0"


@dataclass(frozen=True)
class Models:
    """The trained versions.

    Parameters
    ----------
    folder
        Holds a folder for each version.
    """

    folder: Path

    def artefact(self, version: str) -> Path:
        """Return the version's archive."""
        return self.folder / version / ARTEFACT_NAME

    def card(self, version: str) -> Path:
        """Return the version's model card."""
        return self.folder / version / CARD_NAME

    def by_digest(self) -> dict[str, str]:
        """Return the version of each archive's SHA-256."""
        return {sha256(self.artefact(version)): version for version in (BEFORE, GOOD, BAD, WRONG)}


def train() -> Models:
    """Train what is not current."""
    folder = CHECKOUT / FOLDER
    run_module(["model_containers.training", "build", "--output", str(folder)], "the models cannot be trained")
    return Models(folder)


def by_content(aws: Aws, versions: Mapping[str, str]) -> NameVersion:
    """Name the version of a model's data URL by the bytes that lie there."""

    def name_version(url: str) -> str:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        body = aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return versions.get(hashlib.sha256(body).hexdigest(), BOOTSTRAP)

    return name_version
