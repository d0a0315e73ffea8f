"""Signatures of RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017), verified with what Python brings.

The signature is not parsed, which is where forgeries live: what it must be is put together whole and compared.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any

ALGORITHM = "RS256"
LEAST_BITS, MOST_BITS = 2048, 8192
_LEAST_EXPONENT, _MOST_EXPONENT = 65537, 2**32
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class PublicKey:
    """An RSA key that signatures are verified with.

    Parameters
    ----------
    modulus, exponent
        The key.
    """

    modulus: int
    exponent: int

    @classmethod
    def of(cls, jwk: Mapping[str, Any]) -> "PublicKey":
        """Read a JSON Web Key.

        Raises
        ------
        ValueError
            When it is no key that RS256's signatures may be verified with.
        """
        uses, operations = jwk.get("use", "sig"), jwk.get("key_ops", ["verify"])
        if jwk.get("kty") != "RSA" or jwk.get("alg", ALGORITHM) != ALGORITHM:
            raise ValueError(f"the key is not of RSA and {ALGORITHM}")
        if uses != "sig" or "verify" not in operations:
            raise ValueError("the key is not for signatures")
        key = cls(_number(jwk, "n"), _number(jwk, "e"))
        if not LEAST_BITS <= key.modulus.bit_length() <= MOST_BITS or key.modulus % 2 == 0:
            raise ValueError(f"the key has {key.modulus.bit_length()} bits; taken are {LEAST_BITS} to {MOST_BITS}")
        if not _LEAST_EXPONENT <= key.exponent < _MOST_EXPONENT or key.exponent % 2 == 0:
            raise ValueError("the key has an exponent that is not taken")
        return key

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Return whether a signature is this key's of a message."""
        length = (self.modulus.bit_length() + 7) // 8
        given = int.from_bytes(signature, "big")
        if len(signature) != length or given >= self.modulus:
            return False
        opened = pow(given, self.exponent, self.modulus).to_bytes(length, "big")
        return compare_digest(opened, _encoded(message, length))


def unbase64url(text: str) -> bytes:
    """Return the bytes of base64url without padding, of which there is one spelling.

    Raises
    ------
    ValueError
        When it is spelled otherwise.
    """
    if not _ALPHABET.fullmatch(text):
        raise ValueError("there is something else than base64url without padding")
    content = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if b64encode(content, altchars=b"-_").rstrip(b"=") != text.encode("ascii"):
        raise ValueError("base64url has bits left over")
    return content


def _encoded(message: bytes, length: int) -> bytes:
    """Return what a signature of a message is when it is opened (EMSA-PKCS1-v1_5)."""
    told = _DIGEST_INFO + sha256(message).digest()
    return b"\x00\x01" + b"\xff" * (length - len(told) - 3) + b"\x00" + told


def _number(jwk: Mapping[str, Any], name: str) -> int:
    text = jwk.get(name)
    if not isinstance(text, str):
        raise ValueError(f"the key has no {name}")
    return int.from_bytes(unbase64url(text), "big")
