"""The tokens by which users of IAM prove to a cache who they are.

A token is a request to connect, pre-signed for ElastiCache, without its scheme:
``<cache>/?Action=connect&User=<user>&ResourceType=ServerlessCache&X-Amz-...`` (ElastiCache's guide, "Authenticating
with IAM"). It holds for 15 minutes at most.
"""

import hashlib
import hmac
import time
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from localcloud.credentials import CredentialStore, Principal
from localcloud.errors import AwsError

_SERVICE = "elasticache"
_ALGORITHM = "AWS4-HMAC-SHA256"
_LONGEST_SECONDS = 900
_CLOCK_SKEW_SECONDS = 300


class TokenError(Exception):
    """The token does not prove what it says."""


class ConnectTokens:
    """Checks tokens.

    Parameters
    ----------
    credentials
        Knows whose access keys are, and their secrets.
    region
        Region that tokens must be signed for.
    """

    def __init__(self, credentials: CredentialStore, region: str) -> None:
        self._credentials = credentials
        self._region = region

    def principal(self, token: str, cache: str, user: str) -> Principal:
        """Return who signed a token for a user of a cache; raise `TokenError` if it does not hold."""
        host, _, query = token.partition("/?")
        fields = dict(parse_qsl(query, keep_blank_values=True))
        expected = {"Action": "connect", "User": user, "ResourceType": "ServerlessCache"}
        wrong = [name for name, value in expected.items() if fields.get(name) != value]
        if host != cache or wrong:
            raise TokenError(f"it is for {host!r} with another {', '.join(wrong) or 'host'} than {cache!r} takes")
        _check_time(fields)
        key, scope = self._scope(fields)
        secret = self._credentials.secret(key)
        if secret is None or not hmac.compare_digest(
            _signature(secret, scope, host, query, fields["X-Amz-Date"]), fields.get("X-Amz-Signature", "")
        ):
            raise TokenError("the signature is not that of the access key's secret")
        try:
            return self._credentials.principal(key, fields.get("X-Amz-Security-Token"))
        except AwsError as error:
            raise TokenError(error.message) from error

    def _scope(self, fields: dict[str, str]) -> tuple[str, str]:
        """Return access key and scope (day, region, service) of the signature."""
        key, _, scope = fields.get("X-Amz-Credential", "").partition("/")
        expected = f"{fields['X-Amz-Date'][:8]}/{self._region}/{_SERVICE}/aws4_request"
        if fields.get("X-Amz-Algorithm") != _ALGORITHM or scope != expected:
            raise TokenError(f"it is signed for {scope!r}, not for {expected!r} by {_ALGORITHM}")
        if fields.get("X-Amz-SignedHeaders") != "host":
            raise TokenError("other headers than host are signed")
        return key, scope


def _check_time(fields: dict[str, str]) -> None:
    try:
        signed = datetime.strptime(fields["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        seconds = int(fields["X-Amz-Expires"])
    except (KeyError, ValueError):
        raise TokenError("it does not say when it was signed and for how long") from None
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise TokenError(f"it would hold for {seconds} s; at most are {_LONGEST_SECONDS} s")
    now = time.time()
    if not signed - _CLOCK_SKEW_SECONDS <= now < signed + seconds:
        raise TokenError("it has expired, or is not valid yet")


def _signature(secret: str, scope: str, host: str, query: str, date: str) -> str:
    """Return Signature Version 4 of the request that a token stands for, in hexadecimal digits."""
    signed = "&".join(sorted(part for part in query.split("&") if not part.startswith("X-Amz-Signature=")))
    canonical = f"GET\n/\n{signed}\nhost:{host}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    text = f"{_ALGORITHM}\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()
