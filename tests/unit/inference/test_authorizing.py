"""Which bearer tokens are taken."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt as peer
from joserfc.jwk import RSAKey

from lambdas.inference.authorizing import Bearer, UnauthorizedError, bearer_of
from lambdas.inference.jwks import keys_of
from lambdas.inference.rsa import PublicKey, unbase64url
from lambdas.inference.settings import Jwt
from tests.unit.inference.tokens import (
    AUDIENCE,
    ISSUER,
    JWKS_URL,
    KID,
    NOW,
    base64url,
    claims,
    jwk,
    key_set,
    private_key,
    signed,
    token,
)

JWT = Jwt(ISSUER, AUDIENCE, JWKS_URL, attributes=("team", "absent"))

# RFC 7515, appendix A.2: its key, its token, and what is signed with it.
RFC_KEY = {
    "kty": "RSA",
    "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS"
    "-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg"
    "665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyu"
    "XpoQ",
    "e": "AQAB",
}
RFC_TOKEN = (
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZ"
    "cAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-e"
    "OkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)


class Published:
    """Keys that were fetched already."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self._keys = keys_of(key_set(*keys))

    def find(self, kid: str) -> PublicKey | None:
        return self._keys.get(kid)


KEYS = Published(jwk(), jwk("key-2"))


def bearer(text: str, now: float = NOW, jwt: Jwt = JWT) -> Bearer:
    return bearer_of(text, jwt, KEYS, now)


def refused(text: str, now: float = NOW) -> str:
    with pytest.raises(UnauthorizedError) as raised:
        bearer(text, now)
    return str(raised.value)


def test_the_bearer_of_a_good_token_is_known() -> None:
    found = bearer(token())
    assert replace(found, expires=0) == Bearer("ann", "c-1", ("predict", "tidegate/target-variant"), {"team": "north"})
    assert found.expires > NOW


def test_an_access_token_of_cognito_may_be_any_clients() -> None:
    text = token(claims(aud=None, client_id="other", token_use="access"))
    assert bearer_of(text, JWT, KEYS, NOW, clients=("other",)).principal == "ann"
    with pytest.raises(UnauthorizedError, match="is no client"):
        bearer_of(text, JWT, KEYS, NOW, clients=("another",))


def test_the_example_of_rfc_7515_is_verified() -> None:
    key, (message, _, signature) = PublicKey.of(RFC_KEY), RFC_TOKEN.rpartition(".")

    assert key.has_signed(message.encode(), unbase64url(signature))
    assert not key.has_signed(message.encode() + b"x", unbase64url(signature))
    assert not key.has_signed(message.encode(), unbase64url(signature)[:-1])
    assert not key.has_signed(message.encode(), b"\x00" + unbase64url(signature))


def test_a_signature_has_one_number() -> None:
    # Of so many bits that the sum is no longer in bytes than the signature.
    private, message = private_key("short", bits=2041), b"header.payload"
    numbers = private.public_key().public_numbers()
    key, signature = PublicKey(numbers.n, numbers.e), private.sign(message, PKCS1v15(), SHA256())
    sum_with_modulus = int.from_bytes(signature, "big") + numbers.n

    assert key.has_signed(message, signature)
    assert not key.has_signed(message, sum_with_modulus.to_bytes(len(signature), "big"))


@pytest.mark.parametrize("bits", [2048, 3072])
def test_tokens_of_another_library_are_verified(bits: int) -> None:
    key = RSAKey.generate_key(bits, {"kid": KID, "use": "sig"})
    text = peer.encode({"alg": "RS256", "kid": KID}, claims(), key)
    found = bearer_of(text, JWT, Published(dict(key.as_dict(private=False))), NOW)

    assert found == bearer(token())
    assert peer.decode(token(), RSAKey.import_key(jwk()), algorithms=["RS256"]).claims == claims()


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "RS512", "PS256", "rs256", "", None, ["RS256"], 1])
def test_only_rs256_is_taken(alg: Any) -> None:
    assert "alg" in refused(token(alg=alg))


def test_a_token_without_a_signature_is_not_taken() -> None:
    header = base64url(json.dumps({"alg": "none"}).encode())

    refused(f"{header}.{base64url(json.dumps(claims()).encode())}.")
    refused(token().rpartition(".")[0] + ".")


@pytest.mark.parametrize("algorithm", [SHA1(), SHA512()])
def test_a_signature_over_another_digest_is_not_taken(algorithm: Any) -> None:
    header = json.dumps({"alg": "RS256", "kid": KID}).encode()

    assert "signature" in refused(signed(header, json.dumps(claims()).encode(), private_key(), algorithm))


def test_a_signature_by_another_key_is_not_taken() -> None:
    assert "signature" in refused(token(key=private_key("key-2")))
    assert "signature" in refused(token(kid="key-2", key=private_key()))


@pytest.mark.parametrize("kid", ["key-3", None, 1, ["key-1"], {}])
def test_a_key_that_is_not_published_is_not_taken(kid: Any) -> None:
    assert "key" in refused(token(key=private_key(), kid=kid))


@pytest.mark.parametrize(
    "more", [{"crit": ["exp"]}, {"crit": []}, {"crit": ["b64"], "b64": False}], ids=["exp", "none", "b64"]
)
def test_what_must_be_understood_is_not(more: dict[str, Any]) -> None:
    assert "crit" in refused(token(**more))


def test_a_key_in_the_token_is_not_believed() -> None:
    other = private_key("key-2")

    refused(token(key=other, jwk=jwk(KID, other), x5u="https://evil.example", jku="https://evil.example"))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 7))
def test_no_bit_of_a_token_can_be_changed(place: int, bit: int) -> None:
    text = token()
    place %= len(text)
    changed = text[:place] + chr(ord(text[place]) ^ (1 << bit)) + text[place + 1 :]

    refused(changed)


@pytest.mark.parametrize(
    "fields",
    [
        {"exp": None},
        {"exp": NOW - 60},
        {"exp": str(NOW + 300)},
        {"exp": True},
        {"exp": [NOW + 300]},
        {"exp": 10**400},
        {"nbf": -(10**400)},
        {"nbf": NOW + 61},
        {"nbf": "soon"},
        {"iat": NOW + 61},
        {"iat": False},
        {"iss": None},
        {"iss": ISSUER + "/"},
        {"iss": [ISSUER]},
        {"aud": None},
        {"aud": "rainy"},
        {"aud": []},
        {"aud": ["other", "rai"]},
        {"aud": {"rain": 1}},
        {"aud": None, "client_id": AUDIENCE},
        {"aud": None, "client_id": AUDIENCE, "token_use": "id"},
        {"aud": None, "client_id": "other", "token_use": "access"},
        {"aud": "other", "client_id": AUDIENCE, "token_use": "access"},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"client_id": None},
    ],
)
def test_a_token_for_somebody_else_or_another_time_is_not_taken(fields: dict[str, Any]) -> None:
    refused(token(claims(**fields)))


@pytest.mark.parametrize(
    "fields",
    [
        {"exp": NOW - 59},
        {"exp": NOW + 0.5},
        {"nbf": NOW + 60, "iat": NOW + 60},
        {"iat": None},
        {"aud": ["other", AUDIENCE]},
        {"aud": None, "client_id": AUDIENCE, "token_use": "access"},
    ],
)
def test_a_token_within_the_leeway_or_of_cognito_is_taken(fields: dict[str, Any]) -> None:
    assert bearer(token(claims(**fields))).principal == "ann"


@pytest.mark.parametrize(
    ("fields", "scopes"),
    [
        ({"scope": None}, ()),
        ({"scope": None, "scp": ["a", "b"]}, ("a", "b")),
        ({"scope": None, "scp": "a b"}, ("a", "b")),
        ({"scope": ["a", 1]}, ("a",)),
    ],
)
def test_scopes_are_read_as_issuers_write_them(fields: dict[str, Any], scopes: tuple[str, ...]) -> None:
    assert bearer(token(claims(**fields))).scopes == scopes


def test_another_claim_may_name_the_client() -> None:
    jwt = Jwt(ISSUER, AUDIENCE, JWKS_URL, client_claim="azp")

    assert bearer(token(claims(azp="c-2")), jwt=jwt).client == "c-2"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "....",
        "a" * 20_000,
        token() + "=",
        token() + ".",
        token().replace(".", "=.", 1),
        token() + "\n",
        " " + token(),
        token([]),
        token("text"),
        signed(b"[]", b"{}", private_key()),
        signed(b'{"alg": "RS256", "alg": "RS256", "kid": "key-1"}', b"{}", private_key()),
        signed(b'{"alg": "RS256", "kid": "key-1"}', b'{"exp": NaN}', private_key()),
        signed(b'{"alg": "RS256", "kid": "key-1"}', b"\xff", private_key()),
        "ä.ö.ü",
    ],
    ids=len,  # the texts themselves are others in every process
)
def test_what_is_no_token_is_not_taken(text: str) -> None:
    refused(text)


@settings(deadline=None)
@given(st.text() | st.lists(st.binary().map(base64url), min_size=3, max_size=3).map(".".join))
def test_whatever_comes_is_refused_with_a_reason(text: str) -> None:
    assert refused(text)


def test_a_signature_has_one_spelling() -> None:
    text = token()
    again = text[:-1] + chr(ord(text[-1]) + 1)  # other bits beyond the last byte, which Python's decoder leaves out

    assert "bits left over" in refused(again)


def test_a_secret_is_not_in_the_reason() -> None:
    text = token(key=private_key("key-2"))

    assert text.rpartition(".")[2][:20] not in refused(text)


@pytest.mark.parametrize(
    "fields",
    [
        {"kty": "EC"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"alg": "RS512"},
        {"alg": "none"},
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"n": None},
        {"n": 3},
        {"n": "AQAB"},
        {"n": jwk()["n"] + "="},
        {"e": "Aw"},
        {"e": "AQAA"},
        {"e": None},
        {"e": jwk()["n"]},
    ],
)
def test_a_key_that_is_unfit_is_no_key(fields: dict[str, Any]) -> None:
    keys = Published(jwk() | fields, {}, jwk("key-2"))

    assert keys.find(KID) is None
    assert keys.find("key-2") is not None


def test_a_weak_key_is_no_key() -> None:
    weak = private_key("weak", 1024)

    with pytest.raises(UnauthorizedError, match="no key"):
        bearer_of(token(kid="weak", key=weak), JWT, Published(jwk("weak", weak)), NOW)


def test_a_key_that_says_little_is_taken() -> None:
    bare = {name: value for name, value in jwk().items() if name not in ("use", "alg")}

    assert Published(bare).find(KID) == PublicKey.of(jwk())
