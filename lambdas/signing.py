"""What is signed of a registered model, and what must hold of a signature before the model is deployed. Pure.

The statement is never stored: it is put together from the package that is to be deployed, so that a signature only fits
a package of which nothing that it speaks of has changed. Keys are AWS KMS's, of key spec ECC_NIST_P256.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lambdas.contract import PACKAGE_DIGEST_KEY, PACKAGE_SIGNATURE_KEY, PACKAGE_SIGNING_KEY_KEY, PACKAGE_VERSION_KEY

ALGORITHM = "ECDSA_SHA_256"
"""KMS's name of it; the message is handed over as it is (``MessageType`` RAW), which takes up to 4,096 bytes."""

MESSAGE_TYPE = "RAW"
CHECKED, REQUIRED = "checked", "required"
MODES = (CHECKED, REQUIRED)
"""Of `checked`, a signature is verified when there is one; of `required`, what has none is refused."""

_LONGEST_SIGNATURE = 512
_DIGEST_LENGTH = 64


class SignatureError(ValueError):
    """A package whose signature cannot be trusted; the text says why and what to do."""


@dataclass(frozen=True)
class Statement:
    """What a signature says: this file is this version of this endpoint's model.

    Parameters
    ----------
    artefact
        S3 URI of the model's archive.
    sha256
        Its SHA-256, in hexadecimal digits.
    version
        Name of the version.
    endpoint
        SageMaker endpoint that it is for, which is its model package group's name too.
    """

    artefact: str
    sha256: str
    version: str
    endpoint: str

    @property
    def message(self) -> bytes:
        """The bytes that are signed: JSON in ASCII, its keys sorted, without blanks."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode("ascii")


@dataclass(frozen=True)
class Signed:
    """A statement, its signature, and the key that the package says it was made with."""

    statement: Statement
    signature: bytes
    key: str


def metadata(statement: Statement, signature: bytes, key: str) -> dict[str, str]:
    """Return what a package's CustomerMetadataProperties say of its signature."""
    return {
        PACKAGE_DIGEST_KEY: statement.sha256,
        PACKAGE_SIGNATURE_KEY: base64.b64encode(signature).decode("ascii"),
        PACKAGE_SIGNING_KEY_KEY: key,
    }


def is_signed(found: Mapping[str, str]) -> bool:
    """Return whether a package's metadata has a signature, or what is left of one."""
    return any(found.get(key) for key in (PACKAGE_SIGNATURE_KEY, PACKAGE_SIGNING_KEY_KEY, PACKAGE_DIGEST_KEY))


def digest_of(found: Mapping[str, str]) -> str:
    """Return the SHA-256 that a package's metadata say its artefact was signed with; empty when it is not signed."""
    return found.get(PACKAGE_DIGEST_KEY, "").lower() if is_signed(found) else ""


def read(found: Mapping[str, str], container: Mapping[str, Any], endpoint: str) -> Signed:
    """Return the signature in a package's metadata with the statement that it must have been made over.

    Parameters
    ----------
    found
        CustomerMetadataProperties of the package.
    container
        The one container of its inference specification.
    endpoint
        The endpoint that it is about to be deployed on.

    Raises
    ------
    SignatureError
        When there is none, it is incomplete, or it could not speak for all that would be deployed.
    """
    missing = [
        key
        for key in (PACKAGE_VERSION_KEY, PACKAGE_DIGEST_KEY, PACKAGE_SIGNATURE_KEY, PACKAGE_SIGNING_KEY_KEY)
        if not found.get(key)
    ]
    if missing:
        raise SignatureError(f"its metadata has no {' and no '.join(missing)}, so that its signature cannot be checked")
    digest = found[PACKAGE_DIGEST_KEY].lower()
    if len(digest) != _DIGEST_LENGTH or not set(digest) <= set("0123456789abcdef"):
        raise SignatureError(f"its {PACKAGE_DIGEST_KEY} is {digest[:80]!r}, not 64 hexadecimal digits")
    statement = Statement(only_artefact(container), digest, found[PACKAGE_VERSION_KEY], endpoint)
    return Signed(statement, _bytes_of(found[PACKAGE_SIGNATURE_KEY]), found[PACKAGE_SIGNING_KEY_KEY])


def _bytes_of(text: str) -> bytes:
    try:
        signature = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureError(f"its {PACKAGE_SIGNATURE_KEY} is not base64 ({error})") from error
    if len(signature) > _LONGEST_SIGNATURE:
        raise SignatureError(f"its {PACKAGE_SIGNATURE_KEY} has {len(signature)} bytes, which no signature has")
    return signature


def only_artefact(container: Mapping[str, Any]) -> str:
    """Return the one artefact that a container loads: a signature must speak for all that would be deployed."""
    uri = str(container.get("ModelDataUrl") or "")
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    if container.get("AdditionalModelDataSources"):
        raise SignatureError("it loads additional model data, which its signature says nothing of")
    if source and source.get("S3DataType") != "S3Object":
        raise SignatureError(
            f"its model data are an {source.get('S3DataType')}, which its signature, of one file, says nothing of"
        )
    uris = {each for each in (uri, str(source.get("S3Uri") or "")) if each}
    if len(uris) != 1:
        raise SignatureError(f"it names {len(uris)} artefacts, and its signature is of one: {', '.join(sorted(uris))}")
    return uris.pop()
