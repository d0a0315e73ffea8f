"""The keys that an issuer of tokens publishes, and for how long they are believed."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from lambdas.inference.problems import Problem
from lambdas.inference.rsa import PublicKey
from lambdas.inference.strict_json import loads
from lambdas.rollout.errors import PermanentError, RetryableError

FRESH_SECONDS = 600.0
STALE_SECONDS = 3600.0
"""An issuer that cannot be reached shuts nobody out for so long."""

PAUSE_SECONDS = 30.0
"""Tokens that name keys of their own invention make nobody ask the issuer more often than this."""

TIMEOUT_SECONDS = 3.0
LARGEST_BYTES = 262_144
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OK = 200


class KeysUnreachableError(RetryableError):
    """The issuer's keys cannot be had, so that nobody can say whose token it is."""


class Keys(Protocol):
    """Finds the key that a token says it was signed with."""

    def find(self, kid: str) -> PublicKey | None:
        """Return a key, or None when the issuer has none of that name."""


class IssuerKeys:
    """Implements `Keys` by what the issuer publishes; kept between invocations.

    Parameters
    ----------
    url
        Where.
    now
        Seconds on a clock that never goes back, and sees the time that a function is frozen.
    fetch
        Returns what is there.
    """

    def __init__(self, url: str, now: Callable[[], float], fetch: Callable[[str], bytes] | None = None) -> None:
        self._url = url
        self._fetch = fetch or fetched
        self._now = now
        self._keys: Mapping[str, PublicKey] | None = None
        self._read = self._tried = float("-inf")

    def find(self, kid: str) -> PublicKey | None:
        """Return a key, or None when the issuer has none of that name.

        Raises
        ------
        KeysUnreachableError
            When the issuer does not answer, and what it has said last is too old.
        """
        if self._keys is None or self._age() >= FRESH_SECONDS:
            self._refresh()
        if kid not in self._known():
            self._refresh()
        return self._known().get(kid)

    def _age(self) -> float:
        return self._now() - self._read

    def _known(self) -> Mapping[str, PublicKey]:
        return self._keys or {}

    def _refresh(self) -> None:
        """Ask the issuer, unless it was asked just now; while the last answer may still be believed, it need not."""
        is_believed = self._keys is not None and self._age() < STALE_SECONDS
        if self._keys is not None and self._now() - self._tried < PAUSE_SECONDS:
            if is_believed:
                return
            raise KeysUnreachableError(f"{self._url} did not answer a moment ago")
        self._tried = self._now()
        try:
            self._keys, self._read = keys_of(self._fetch(self._url)), self._now()
        except (OSError, ValueError, Problem) as error:
            if not is_believed:
                raise KeysUnreachableError(f"{self._url} cannot be read ({type(error).__name__}: {error})") from error


def keys_of(body: bytes) -> dict[str, PublicKey]:
    """Return the usable keys of a JWK Set by their names; one of another kind is not an error (RFC 7517, 5).

    Raises
    ------
    ValueError, Problem
        When it is no JWK Set.
    """
    content = loads(body)
    listed = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it is no JWK Set: there is no list of keys")
    return dict(found for jwk in listed if (found := _named(jwk)))


def _named(jwk: Any) -> tuple[str, PublicKey] | None:
    try:
        return (jwk["kid"], PublicKey.of(jwk)) if isinstance(jwk["kid"], str) else None
    except (KeyError, TypeError, ValueError):
        return None


def fetched(url: str) -> bytes:
    """Return what is at a URL, over HTTPS and without following it anywhere else.

    Raises
    ------
    OSError, ValueError
        When it cannot be had.
    """
    from http.client import HTTPException
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    try:
        connection.request("GET", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")
        answer = connection.getresponse()
        body = bytes(answer.read(LARGEST_BYTES + 1))
    except HTTPException as error:
        raise ValueError(f"it does not speak HTTP: {error!r}") from error
    finally:
        connection.close()
    if answer.status != _OK or len(body) > LARGEST_BYTES:
        raise ValueError(f"the status is {answer.status} and the length {len(body)} or more")
    return body


def _connection(scheme: str, host: str, port: int | None) -> Any:
    from http.client import HTTPConnection, HTTPSConnection

    if scheme == "https":
        return HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS)
    if scheme == "http" and host in _LOOPBACK:
        return HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    raise PermanentError(f"the keys' URL has the scheme {scheme!a}; give one of https")
