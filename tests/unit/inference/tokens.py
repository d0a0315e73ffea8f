"""An issuer of tokens with keys of its own, made with another library than what verifies them."""

import json
from base64 import urlsafe_b64encode
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm

NOW = 1_800_000_000.0
ISSUER, AUDIENCE, KID = "https://issuer.example", "rain", "key-1"
JWKS_URL = "https://issuer.example/keys"


@cache
def private_key(kid: str = KID, bits: int = 2048, exponent: int = 65537) -> RSAPrivateKey:
    return generate_private_key(exponent, bits)


def base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def unsigned(number: int) -> str:
    return base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def jwk(kid: str = KID, key: RSAPrivateKey | None = None, **fields: Any) -> dict[str, Any]:
    numbers = (key or private_key(kid)).public_key().public_numbers()
    public = {"kty": "RSA", "kid": kid, "n": unsigned(numbers.n), "e": unsigned(numbers.e)}
    return public | {"use": "sig", "alg": "RS256"} | fields


def key_set(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def claims(**fields: Any) -> dict[str, Any]:
    """Return claims that are taken, with what is given; what is None is left out."""
    usual = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "client_id": "c-1",
        "exp": NOW + 300,
        "iat": NOW,
        "scope": "predict tidegate/target-variant",
        "team": "north",
    }
    return {name: value for name, value in (usual | fields).items() if value is not None}


def signed(header: bytes, payload: bytes, key: RSAPrivateKey, algorithm: HashAlgorithm | None = None) -> str:
    message = f"{base64url(header)}.{base64url(payload)}"
    return f"{message}.{base64url(key.sign(message.encode(), PKCS1v15(), algorithm or SHA256()))}"


def token(payload: Any = None, *, kid: str = KID, key: RSAPrivateKey | None = None, **header: Any) -> str:
    named = {"alg": "RS256", "typ": "JWT", "kid": kid} | header
    content = claims() if payload is None else payload
    return signed(json.dumps(named).encode(), json.dumps(content).encode(), key or private_key(kid))
