"""Lets the bearers of tokens in: API Gateway's REQUEST authorizer, whose answer it keeps for a token.

Calls: nobody but the issuer of the tokens, for its keys.
"""

import json
import sys
import time
from functools import cache
from typing import Any

from lambdas.contract import front_door_key
from lambdas.inference.authorizing import Bearer, UnauthorizedError, bearer_of
from lambdas.inference.handlers.freshness import FreshnessClock
from lambdas.inference.http import Headers
from lambdas.inference.jwks import IssuerKeys
from lambdas.inference.settings import FrontDoor, Jwt, front_door
from lambdas.rollout.errors import PermanentError

_SCHEME = "bearer"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return the policy of who calls; what is no good token is answered with 401.

    That the issuer cannot be reached is no fault of the caller's: it fails the invocation, which is answered with 500.
    """
    settings = front_door()
    try:
        bearer = _bearer(event, _jwt(settings), settings)
    except UnauthorizedError as error:
        _log(str(error), context)
        raise Exception("Unauthorized") from error  # the very words by which API Gateway knows a 401
    return _policy(event["methodArn"], bearer, settings)


def _jwt(settings: FrontDoor) -> Jwt:
    if settings.jwt is None:
        raise PermanentError(f"{settings.endpoint} takes no tokens; deploy its front door again")
    return settings.jwt


def _bearer(event: dict[str, Any], jwt: Jwt, settings: FrontDoor) -> Bearer:
    given = Headers.of(event).all("Authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != _SCHEME:
        raise UnauthorizedError(f"there are {len(given)} headers Authorization, or it is none of Bearer; send one")
    return bearer_of(token.strip(" "), jwt, _keys(jwt.jwks_url), time.time(), settings.clients)


@cache
def _keys(url: str) -> IssuerKeys:
    return IssuerKeys(url, FreshnessClock(time.time, time.monotonic))


def _policy(method_arn: str, bearer: Bearer, settings: FrontDoor) -> dict[str, Any]:
    # Of the whole stage, because the policy is kept and must fit what the same token asks for next.
    resource = "/".join([*method_arn.split("/")[:2], "*"])
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resource}
    answer: dict[str, Any] = {
        "principalId": bearer.principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {
            "client": bearer.client,
            "scopes": " ".join(bearer.scopes),
            "attributes": json.dumps(bearer.attributes),
            "expires": str(bearer.expires),
        },
    }
    client = settings.clients.get(bearer.client)
    if client is not None:
        answer["usageIdentifierKey"] = front_door_key(settings.endpoint, client.name)
    return answer


def _log(reason: str, context: Any) -> None:
    # A line of its own making: Powertools would take longer to import than all else that this function does.
    request = str(getattr(context, "aws_request_id", ""))
    line = {"level": "WARNING", "message": "a token is not taken", "reason": reason, "request": request}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
