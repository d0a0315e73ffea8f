"""The authorizer's function: what API Gateway is told of a bearer."""

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.contract import ENV_FRONT_DOOR, front_door_key
from lambdas.inference import jwks
from lambdas.inference.handlers import authorize
from lambdas.inference.http import HttpRequest
from lambdas.inference.identity import Caller, caller_of
from lambdas.inference.jwks import KeysUnreachableError
from lambdas.inference.settings import front_door
from tests.unit.inference.tokens import AUDIENCE, ISSUER, JWKS_URL, NOW, claims, jwk, key_set, token

SETTINGS = {
    "endpoint": "rain-test",
    "auth": "jwt",
    "clients": {"c-1": {"name": "forecaster"}},
    "segments": [],
    "breaker": {},
    "jwt": {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": JWKS_URL, "attributes": ["team"]},
}
STAGE = "arn:aws:execute-api:eu-central-1:111122223333:abc123/live"
CONTEXT = SimpleNamespace(aws_request_id="request-1")


@pytest.fixture(autouse=True)
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(ENV_FRONT_DOOR, json.dumps(SETTINGS))
    monkeypatch.setattr(jwks, "fetched", lambda url: key_set(jwk()))
    monkeypatch.setattr(authorize.time, "time", lambda: NOW)
    front_door.cache_clear()
    authorize._keys.cache_clear()
    yield
    front_door.cache_clear()
    authorize._keys.cache_clear()


def event(*authorization: str, path: str = "POST/predictions") -> dict[str, Any]:
    return {
        "type": "REQUEST",
        "methodArn": f"{STAGE}/{path}",
        "headers": {"authorization": authorization[-1]} if authorization else {},
        "multiValueHeaders": {"authorization": list(authorization)} if authorization else None,
    }


def answer(text: str, **fields: Any) -> dict[str, Any]:
    return authorize.handler(event(f"Bearer {text}", **fields), CONTEXT)


@pytest.mark.parametrize("path", ["POST/predictions", "GET/jobs/a/b", "GET/"])
def test_a_bearer_is_let_into_the_whole_stage_and_no_other(path: str) -> None:
    document = answer(token(), path=path)["policyDocument"]

    assert document["Statement"] == [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{STAGE}/*"}]


def test_the_front_door_is_told_who_it_is() -> None:
    told = answer(token())

    assert told["principalId"] == "ann"
    expires = told["context"].pop("expires")
    assert float(expires) > time.time()
    assert told["context"] == {
        "client": "c-1",
        "scopes": "predict tidegate/target-variant",
        "attributes": '{"team": "north"}',
    }
    request = HttpRequest("GET", "/schema", context={"authorizer": told["context"] | {"principalId": "ann"}})
    scopes = frozenset({"predict", "tidegate/target-variant"})
    assert caller_of(request, front_door()) == Caller("forecaster", "ann", scopes, {"team": "north"}, tester=True)


def test_a_known_client_is_counted_by_its_key() -> None:
    assert answer(token())["usageIdentifierKey"] == front_door_key("rain-test", "forecaster")
    assert "usageIdentifierKey" not in answer(token(claims(client_id="c-2")))


def test_the_scheme_is_read_in_any_case() -> None:
    assert authorize.handler(event(f"bearer  {token()}"), CONTEXT)["principalId"] == "ann"


@pytest.mark.parametrize(
    "authorization",
    [(), ("",), ("Bearer",), ("Bearer ",), (token(),), (f"Basic {token()}",), (f"Bearer {token()}",) * 2],
)
def test_anybody_else_is_unauthorized(authorization: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$") as raised:
        authorize.handler(event(*authorization), CONTEXT)
    assert type(raised.value) is Exception
    line = json.loads(capsys.readouterr().out)
    assert line["level"] == "WARNING"
    assert line["request"] == "request-1"
    assert line["reason"]
    assert token().rpartition(".")[2] not in json.dumps(line)


def test_a_token_of_yesterday_is_unauthorized() -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        answer(token(claims(exp=NOW - 61)))


def test_that_the_issuer_is_down_is_not_the_bearers_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(url: str) -> bytes:
        raise OSError("connection refused")

    monkeypatch.setattr(jwks, "fetched", down)
    with pytest.raises(KeysUnreachableError):
        answer(token())


@pytest.mark.parametrize(("name", "client"), [("r", "c"), ("rain-local", "f" * 300), ("e" * 63, "ann")])
def test_a_key_is_one_that_api_gateway_takes(name: str, client: str) -> None:
    assert 20 <= len(front_door_key(name, client)) <= 128


def test_no_two_clients_have_one_key() -> None:
    assert front_door_key("rain-a", "b") != front_door_key("rain", "a-b")
    assert front_door_key("rain", "c" * 300) != front_door_key("rain", "c" * 301)


def test_a_key_that_was_taken_back_while_the_function_was_frozen_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, published = [float(NOW)], [key_set(jwk())]
    monkeypatch.setattr(authorize, "time", SimpleNamespace(time=lambda: now[0], monotonic=lambda: 5.0))
    monkeypatch.setattr(jwks, "fetched", lambda url: published[0])
    assert answer(token())["principalId"] == "ann"
    published[0] = key_set(jwk("key-2"))
    now[0] += jwks.FRESH_SECONDS
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        answer(token(claims(exp=NOW + 3600)))
