"""Who calls, as API Gateway has made sure of it."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.inference.http import HttpRequest
from lambdas.inference.problems import Problem
from lambdas.inference.settings import Client, FrontDoor

LEEWAY_SECONDS = 60.0
"""By which clocks may differ."""

_ASSUMED = ":assumed-role/"
_ROLE = ":role/"


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Parameters
    ----------
    client
        Name of the application, in logs, in the audit and in segment rules.
    principal
        What showed who it is: the id of an API key, the subject of a token, the ARN of a role or user.
    scopes
        What its token allows.
    attributes
        Claims of its token that segment rules may ask for.
    tester
        Whether it may choose the production variant that answers.
    """

    client: str
    principal: str
    scopes: frozenset[str] = frozenset()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tester: bool = False


def caller_of(request: HttpRequest, settings: FrontDoor) -> Caller:
    """Return who calls.

    Raises
    ------
    Problem
        When API Gateway does not say who it is, or it may not call.
    """
    return _KINDS[settings.auth](request.context, settings)


def role_or_user(arn: str) -> str:
    """Return the ARN by which a role is known, without session and path, or that of a user as it is.

    A session's ARN does not tell the path of its role; names of roles are unique in an account without it.
    """
    if _ASSUMED in arn:
        account, _, session = arn.partition(_ASSUMED)
        return f"{account.replace(':sts:', ':iam:', 1)}{_ROLE}{session.partition('/')[0]}"
    if _ROLE in arn:
        account, _, path = arn.partition(_ROLE)
        return f"{account}{_ROLE}{path.rpartition('/')[2]}"
    return arn


def _by_key(context: Mapping[str, Any], settings: FrontDoor) -> Caller:
    key = _shown(_part(context, "identity").get("apiKeyId"), "an API key in the header x-api-key")
    client = settings.clients.get(key) or Client(key)
    return Caller(client.name, key, tester=client.tester)


def _by_token(context: Mapping[str, Any], settings: FrontDoor) -> Caller:
    known = _part(context, "authorizer")
    named = _shown(known.get("client"), "a token in the header Authorization")
    _check_expiry(known)
    client = settings.clients.get(named) or Client(named)
    scopes = frozenset(str(known.get("scopes") or "").split())
    tester = client.tester or (settings.jwt is not None and settings.jwt.tester_scope in scopes)
    attributes = json.loads(known.get("attributes") or "{}")
    return Caller(client.name, str(known.get("principalId") or named), scopes, attributes, tester)


def _check_expiry(known: Mapping[str, Any]) -> None:
    """API Gateway keeps what the authorizer has found, for longer than a token may still be valid."""
    expires = known.get("expires")
    if expires and time.time() >= float(expires) + LEEWAY_SECONDS:
        raise Problem("unauthorized", "the token has expired; bring a new one")


def _by_arn(context: Mapping[str, Any], settings: FrontDoor) -> Caller:
    arn = role_or_user(_shown(_part(context, "identity").get("userArn"), "a signature by AWS Signature Version 4"))
    known = {role_or_user(key): client for key, client in settings.clients.items()}
    client = known.get(arn)
    if client is None:
        # Whoever may call any API of the account could call this one; for them there is no usage plan that refuses.
        raise Problem("forbidden", f"{arn} is no client of this front door; have it added to its clients")
    return Caller(client.name, arn, tester=client.tester)


def _part(context: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return context.get(name) or {}


def _shown(value: Any, wanted: str) -> str:
    if not value:
        raise Problem("unauthorized", f"the request does not show who calls; send {wanted}")
    return str(value)


_KINDS: Mapping[str, Callable[[Mapping[str, Any], FrontDoor], Caller]] = {
    "api_key": _by_key,
    "jwt": _by_token,
    "iam": _by_arn,
}
