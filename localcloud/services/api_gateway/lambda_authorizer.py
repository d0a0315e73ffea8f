"""Authorizers that are functions: whom they know, and what their policies let the caller do."""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.front.iam import Access, Verdict, identity_verdict
from localcloud.services.api_gateway.api_service import function_of
from localcloud.services.api_gateway.exchange import Exchange
from localcloud.services.api_gateway.functions import Functions
from localcloud.services.api_gateway.gateway_errors import GatewayError, bad_authorizer, unauthorized
from localcloud.services.api_gateway.proxy import described
from localcloud.services.api_gateway.rest_api import Record
from localcloud.services.api_gateway.templates import value_at

_SECONDS = 29.0
_MOST_CACHED = 10_000


@dataclass(frozen=True)
class Permit:
    """What an authorizer answered: it holds for all of the stage's methods, as its policy says."""

    principal: str
    policy: str
    context: Mapping[str, str]
    usage_key: str | None = None

    def verdict(self, arn: str, known: Mapping[str, str | list[str]]) -> Verdict:
        """Return what the policy says of a method and path."""
        return identity_verdict([self.policy], Access("execute-api:Invoke", arn, known))


class LambdaAuthorizers:
    """Asks authorizers, and remembers their answers as long as they want.

    Parameters
    ----------
    functions
        Invokes functions.
    now
        Seconds, for what is remembered.
    """

    def __init__(self, functions: Functions, now: Callable[[], float] = time.monotonic) -> None:
        self._functions = functions
        self._now = now
        self._permits: dict[tuple[Any, ...], tuple[float, Permit]] = {}
        self._lock = threading.Lock()

    def permit(self, exchange: Exchange, authorizer: Record) -> Permit:
        """Return what an authorizer says of the caller; raise `GatewayError` if it does not know it."""
        identity = _identity(exchange, authorizer)
        request, seconds = exchange.request, authorizer["authorizerResultTtlInSeconds"]
        key = (request.api_id, request.stage, authorizer["id"], identity)
        found = self._permits.get(key) if seconds else None
        if found is not None and found[0] > self._now():
            return found[1]
        permit = self._ask(exchange, authorizer, identity)
        if seconds:
            self._remember(key, permit, seconds)
        return permit

    def flush(self, api_id: str, stage: str | None = None) -> None:
        """Forget the answers for a stage, or for all of an API's."""
        with self._lock:
            gone = [key for key in self._permits if key[0] == api_id and stage in (None, key[1])]
            for key in gone:
                del self._permits[key]

    def _remember(self, key: tuple[Any, ...], permit: Permit, seconds: float) -> None:
        with self._lock:
            if len(self._permits) >= _MOST_CACHED:
                self._permits.clear()
            self._permits[key] = (self._now() + seconds, permit)

    def _ask(self, exchange: Exchange, authorizer: Record, identity: tuple[str, ...]) -> Permit:
        event = _event(exchange, authorizer, identity)
        source = f"{exchange.arn_prefix}{exchange.request.api_id}/authorizers/{authorizer['id']}"
        began = time.perf_counter()
        try:
            function = function_of(authorizer["authorizerUri"])
            outcome = self._functions.call(function, source, json.dumps(event).encode(), _SECONDS)
        except GatewayError as error:
            raise bad_authorizer() from error
        exchange.context["authorizer"] = {"integrationLatency": round((time.perf_counter() - began) * 1000)}
        if outcome.error:
            raise _failure(outcome.payload)
        return _permit(outcome.payload)


def _identity(exchange: Exchange, authorizer: Record) -> tuple[str, ...]:
    """Return the values by which the caller is known; raise `GatewayError` unless all were sent."""
    sources = [each.strip() for each in (authorizer.get("identitySource") or "").split(",") if each.strip()]
    values = [_value(exchange, source) for source in sources]
    if not all(values):
        raise unauthorized()
    expression = authorizer.get("identityValidationExpression")
    if expression and authorizer["type"] == "TOKEN" and not re.fullmatch(expression, str(values[0])):
        raise unauthorized()
    return tuple(str(value) for value in values)


def _value(exchange: Exchange, source: str) -> Any:
    kind, _, name = source.removeprefix("method.request.").partition(".")
    if kind == "header":
        return exchange.request.header(name)
    if kind == "querystring":
        return (exchange.request.query.get(name) or [""])[-1]
    return value_at(exchange.context, name) if kind == "context" else exchange.variables.get(name)


def _event(exchange: Exchange, authorizer: Record, identity: tuple[str, ...]) -> Record:
    head = {"type": authorizer["type"], "methodArn": exchange.arn}
    if authorizer["type"] == "TOKEN":
        return {**head, "authorizationToken": identity[0]}
    return {**head, **described(exchange)}


def _failure(payload: bytes) -> GatewayError:
    """Return 401 for the error that functions raise to say so, and 500 for any other."""
    try:
        message = json.loads(payload).get("errorMessage")
    except (ValueError, AttributeError):
        message = None
    return unauthorized() if message == "Unauthorized" else bad_authorizer("AUTHORIZER_FAILURE")


def _permit(payload: bytes) -> Permit:
    try:
        answer = json.loads(payload)
        policy, principal = answer["policyDocument"], answer["principalId"]
        if not isinstance(policy["Statement"], list | dict) or not isinstance(principal, str):
            raise bad_authorizer()
        context = {str(name): _text(value) for name, value in (answer.get("context") or {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise bad_authorizer() from None
    return Permit(principal, json.dumps(policy), context, answer.get("usageIdentifierKey"))


def _text(value: Any) -> str:
    """Return a context value as functions see it; lists and objects are not allowed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise TypeError(f"{value!r} is no string, number or boolean")
    return str(value)
