"""Whose a bearer token is: JSON Web Tokens of RS256 (RFC 7515, 7519; RFC 8725 on what to be strict about)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from sys import float_info
from typing import Any

from lambdas.inference.identity import LEEWAY_SECONDS
from lambdas.inference.jwks import Keys
from lambdas.inference.problems import Problem
from lambdas.inference.rsa import ALGORITHM, unbase64url
from lambdas.inference.settings import Jwt
from lambdas.inference.strict_json import loads
from lambdas.rollout.errors import TidegateError

LONGEST_TOKEN = 10_240
"""API Gateway takes no more than this in all headers together."""

_LATEST = float_info.max
"""JSON's integers may be larger than any float, and nothing can be computed with such a time."""

_SHOWN = 80


class UnauthorizedError(TidegateError):
    """A token that is not taken; the text says why, and nothing that is secret."""


@dataclass(frozen=True)
class Bearer:
    """Whose a token is.

    Parameters
    ----------
    principal
        Its subject.
    client
        The application that it was issued to.
    scopes
        What it allows.
    attributes
        Claims that segment rules may ask for.
    expires
        Until when it is valid, in epoch seconds.
    """

    principal: str
    client: str
    scopes: tuple[str, ...]
    attributes: Mapping[str, Any]
    expires: float = 0.0


def bearer_of(token: str, jwt: Jwt, keys: Keys, now: float, clients: Collection[str] = ()) -> Bearer:
    """Return whose a token is.

    Parameters
    ----------
    token
        In compact form.
    jwt
        Whose tokens are taken.
    keys
        The issuer's.
    now
        Epoch seconds.
    clients
        What the claim of a client that may call can be.

    Raises
    ------
    UnauthorizedError
        When it is not taken.
    KeysUnreachableError
        When nobody can say.
    """
    claims = _verified(token, keys)
    expires = _check_times(claims, now)
    _check_issue(claims, jwt, clients)
    return Bearer(
        principal=_text(claims, "sub"),
        client=_text(claims, jwt.client_claim),
        scopes=_scopes(claims),
        attributes={name: claims[name] for name in jwt.attributes if name in claims},
        expires=expires,
    )


def _verified(token: str, keys: Keys) -> Mapping[str, Any]:
    """Return the claims of a token that one of the keys has signed; nothing of it is believed before."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > LONGEST_TOKEN:
        raise UnauthorizedError(f"the token has {len(parts)} parts and {len(token)} characters; it is no JWT")
    header = _object(parts[0], "header")
    if header.get("alg") != ALGORITHM or "crit" in header:
        raise UnauthorizedError(f"the token's alg is {_shown(header.get('alg'))}, or it has crit; taken is {ALGORITHM}")
    kid = header.get("kid")
    key = keys.find(kid) if isinstance(kid, str) else None
    if key is None:
        raise UnauthorizedError(f"the issuer has published no key {_shown(kid)} that can be used")
    if not key.has_signed(f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2], "signature")):
        raise UnauthorizedError(f"the token's signature is not by the key {_shown(kid)}")
    return _object(parts[1], "payload")


def _check_times(claims: Mapping[str, Any], now: float) -> float:
    """Return until when the token is valid."""
    expires, begins, issued = (_time(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None or now >= expires + LEEWAY_SECONDS:
        raise UnauthorizedError(f"the token is no longer valid, or for ever: exp is {expires}")
    if max(begins or now, issued or now) > now + LEEWAY_SECONDS:
        raise UnauthorizedError(f"the token is not valid yet: nbf is {begins}, iat is {issued}")
    return expires


def _check_issue(claims: Mapping[str, Any], jwt: Jwt, clients: Collection[str]) -> None:
    if claims.get("iss") != jwt.issuer:
        raise UnauthorizedError(f"the token's iss is {_shown(claims.get('iss'))}, not {jwt.issuer}")
    if _is_of_cognito(claims):
        # It names no audience: whom it was issued to must be a client, or what is declared as the audience.
        if claims.get("client_id") not in (jwt.audience, *clients):
            raise UnauthorizedError(f"the token's client_id is {_shown(claims.get('client_id'))}, which is no client")
        return
    if jwt.audience not in _audiences(claims):
        raise UnauthorizedError(f"the token's aud is {_shown(claims.get('aud'))}, which is not {jwt.audience}")


def _is_of_cognito(claims: Mapping[str, Any]) -> bool:
    return "aud" not in claims and claims.get("token_use") == "access"


def _audiences(claims: Mapping[str, Any]) -> Sequence[Any]:
    given = claims.get("aud")
    return given if isinstance(given, list) else [given]


def _scopes(claims: Mapping[str, Any]) -> tuple[str, ...]:
    given = claims.get("scope", claims.get("scp", ""))
    listed = given if isinstance(given, list) else str(given).split()
    return tuple(each for each in listed if isinstance(each, str))


def _object(part: str, what: str) -> Mapping[str, Any]:
    try:
        content = loads(_bytes(part, what))
    except Problem as error:
        raise UnauthorizedError(f"the token's {what} cannot be read: {error.detail}") from error
    if not isinstance(content, dict):
        raise UnauthorizedError(f"the token's {what} is no object")
    return content


def _bytes(part: str, what: str) -> bytes:
    try:
        return unbase64url(part)
    except ValueError as error:
        raise UnauthorizedError(f"the token's {what} cannot be read: {error}") from error


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LATEST <= value <= _LATEST:
        raise UnauthorizedError(f"the token's {name} is no time")
    return value


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise UnauthorizedError(f"the token has no claim {name!a}")
    return value


def _shown(value: Any) -> str:
    return ascii(value)[:_SHOWN]
