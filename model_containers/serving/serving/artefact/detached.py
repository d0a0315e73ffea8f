"""Detached signatures of a model's digest.

Signed is the digest's text, ``sha256:`` and 64 hexadecimal digits without a line break, by ECDSA on P-256 with SHA-256
(the signature in DER) or by Ed25519. With AWS KMS, which never gives the key away::

    printf %s "$(python -m serving digest --model-dir <folder>)" > digest.txt
    aws kms sign --key-id <key> --signing-algorithm ECDSA_SHA_256 --message-type RAW --message fileb://digest.txt \\
        --query Signature --output text > <folder>/model.sig
"""

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ArtefactError

if TYPE_CHECKING:  # takes 50 ms to import, and is needed only where a key is configured
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_VARIABLE = "TIDEGATE_MODEL_PUBLIC_KEY"
_PEM = "-----BEGIN"
_CURVE = "secp256r1"
_ED25519_BYTES = 64


def verify(public_key: str, signature_file: Path, digest: str) -> None:
    """Verify that a digest was signed.

    Parameters
    ----------
    public_key
        PEM, in which ``\\n`` may stand for line breaks as in variables it often must; or the path of a PEM file.
    signature_file
        The signature as it is, or in base64.
    digest
        What must have been signed.

    Raises
    ------
    ArtefactError
        If the key or the signature cannot be used, or the signature is not of this digest and key.
    """
    from cryptography.exceptions import InvalidSignature

    key = _load(public_key)
    signature = _read(signature_file)
    try:
        _verify(key, signature, digest.encode())
    except InvalidSignature as error:
        way_out = f"sign this digest with the key that belongs to {_VARIABLE}, or deploy the files that were signed"
        raise ArtefactError(f"{signature_file} is not a signature of the model's digest {digest}: {way_out}") from error


def _verify(key: "EllipticCurvePublicKey | Ed25519PublicKey", signature: bytes, message: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256

    if isinstance(key, EllipticCurvePublicKey):
        key.verify(signature, message, ECDSA(SHA256()))
    else:
        key.verify(signature, message)


def _load(public_key: str) -> "EllipticCurvePublicKey | Ed25519PublicKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        text = public_key.replace("\\n", "\n") if _PEM in public_key else Path(public_key).read_text()
        key = load_pem_public_key(text.encode())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        wanted = "a PEM public key nor the path of one"
        raise ArtefactError(f"{_VARIABLE} is neither {wanted}: {error}; set it to one of them") from error
    if isinstance(key, Ed25519PublicKey) or (isinstance(key, EllipticCurvePublicKey) and key.curve.name == _CURVE):
        return key
    raise ArtefactError(f"{_VARIABLE} is a {type(key).__name__}; needed is ECDSA on P-256 or Ed25519")


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        way_out = f"sign the model, or take {_VARIABLE} away"
        raise ArtefactError(
            f"{_VARIABLE} asks for a signature, and {path} cannot be read: {error}; {way_out}"
        ) from error
    if len(content) == _ED25519_BYTES:
        return content
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return content
