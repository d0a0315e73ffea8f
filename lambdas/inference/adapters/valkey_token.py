"""Tokens by which a function's role connects to a cache."""

from typing import Any

from lambdas.inference.adapters.clients import session

_SERVICE = "elasticache"
_VALID_SECONDS = 900
"""The longest that ElastiCache takes; a connection begins at once with its own."""

_SCHEME = "https://"


class ConnectToken:
    """The user and the password of a connection: a request to connect, signed with the role's credentials (SigV4).

    As in the example of docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html: what is signed names the cache
    and no host, and is handed over without its scheme. Needs elasticache:Connect on the cache and on the user.

    Parameters
    ----------
    cache, user
        Names of the cache and of the user.
    """

    def __init__(self, cache: str, user: str) -> None:
        self._cache = cache
        self._user = user

    def get_credentials(self) -> tuple[str, str]:
        """Return the user and a new token, as the library asks for them."""
        query = f"Action=connect&User={self._user}&ResourceType=ServerlessCache"
        request: dict[str, Any] = {
            "method": "GET",
            "url": f"{_SCHEME}{self._cache}/?{query}",
            "body": {},
            "headers": {},
            "context": {},
        }
        signed: str = _signer().generate_presigned_url(request, operation_name="connect", expires_in=_VALID_SECONDS)
        return self._user, signed.removeprefix(_SCHEME)


def _signer() -> Any:
    from botocore.model import ServiceId
    from botocore.signers import RequestSigner

    found = session()
    return RequestSigner(
        ServiceId(_SERVICE),
        found.get_config_variable("region"),
        _SERVICE,
        "v4",
        found.get_credentials(),
        found.get_component("event_emitter"),
    )
