"""Requests as API Gateway hands them over, who calls, and what is answered."""

import json
import time
from typing import Any

import pytest

from lambdas.inference import headers
from lambdas.inference.headers import Asked, asked
from lambdas.inference.http import Headers, HttpAnswer, HttpRequest
from lambdas.inference.identity import Caller, caller_of
from lambdas.inference.problems import KINDS, Problem
from lambdas.inference.settings import Auth, Client, FrontDoor, Jwt

JWT = Jwt("https://issuer.example", "rain", "https://issuer.example/keys", attributes=("team",))
ROLE = "arn:aws:iam::111122223333:role/service/apps/Forecaster"
SESSION = "arn:aws:sts::111122223333:assumed-role/Forecaster/session-1"
USER = "arn:aws:iam::111122223333:user/ann"
CLIENT = Caller("app", "key-1")
TESTER = Caller("app", "key-1", tester=True)


def event(**fields: Any) -> dict[str, Any]:
    return {
        "httpMethod": "GET",
        "resource": "/jobs/{id}",
        "path": "/jobs/7",
        "pathParameters": {"id": "7"},
        "headers": {"X-One": "1"},
        "multiValueHeaders": {"X-One": ["1"], "X-Two": ["2", "3"]},
        "body": None,
        "isBase64Encoded": False,
        "requestContext": {"requestId": "r-1"},
    } | fields


def with_headers(*pairs: tuple[str, str]) -> HttpRequest:
    return HttpRequest("POST", "/predictions", headers=Headers(pairs))


def front_door(auth: Auth, **clients: Client) -> FrontDoor:
    return FrontDoor("rain-test", auth, clients, jwt=JWT if auth == "jwt" else None)


def context(**fields: Any) -> HttpRequest:
    return HttpRequest("GET", "/schema", context=fields)


def test_a_request_is_read_from_its_event() -> None:
    request = HttpRequest.of(event())

    assert (request.method, request.resource, request.path_parameters) == ("GET", "/jobs/{id}", {"id": "7"})
    assert request.body == b""
    assert request.context == {"requestId": "r-1"}


def test_headers_are_found_in_any_case_and_all_their_values() -> None:
    request = HttpRequest.of(event())

    assert request.headers.get("x-ONE") == "1"
    assert request.headers.get("X-Two") == "2, 3"
    assert request.headers.all("x-two") == ("2", "3")
    assert request.headers.get("X-Three") is None
    assert request.headers.get("X-Three", "none") == "none"


@pytest.mark.parametrize("missing", [{"multiValueHeaders": None}, {"multiValueHeaders": {}}])
def test_an_event_with_single_headers_is_read_too(missing: dict[str, Any]) -> None:
    assert HttpRequest.of(event(**missing)).headers.get("x-one") == "1"


def test_an_event_without_anything_is_read() -> None:
    bare = event(headers=None, multiValueHeaders=None, pathParameters=None, requestContext=None)

    assert HttpRequest.of(bare).headers.get("x-one") is None


@pytest.mark.parametrize("body", ["%%%", "YQ", "ä"])
def test_base64_that_is_none_is_refused(body: str) -> None:
    with pytest.raises(Problem) as raised:
        HttpRequest.of(event(body=body, isBase64Encoded=True))
    assert raised.value.slug == "invalid-request"


def test_an_answer_is_never_kept_or_guessed_at() -> None:
    answer = HttpAnswer.json(200, {"predictions": [1.5]}, {"Tidegate-Variant": "blue"}).proxy()

    assert answer == {
        "statusCode": 200,
        "body": '{"predictions":[1.5]}',
        "isBase64Encoded": False,
        "headers": {
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Tidegate-Variant": "blue",
        },
    }


def test_an_answer_of_bytes_is_text_where_it_can_be() -> None:
    assert HttpAnswer(200, "größe".encode()).proxy()["body"] == "größe"
    binary = HttpAnswer(200, b"\xff\x00").proxy()
    assert (binary["body"], binary["isBase64Encoded"]) == ("/wA=", True)


def test_a_number_that_is_no_json_is_never_answered() -> None:
    with pytest.raises(ValueError, match="JSON"):
        HttpAnswer.json(200, float("nan"))


def test_a_problem_is_a_problem_document() -> None:
    problem = Problem("busy", "too much to do; wait", errors=[{"row": 1}], headers={"Retry-After": "2"})
    answer = HttpAnswer.problem(problem, "p-1", {"Tidegate-Prediction-Id": "p-1"}).proxy()

    assert answer["statusCode"] == 503
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert answer["headers"]["Retry-After"] == "2"
    assert answer["headers"]["Tidegate-Prediction-Id"] == "p-1"
    assert json.loads(answer["body"]) == {
        "type": "urn:tidegate:problem:busy",
        "title": KINDS["busy"][1],
        "status": 503,
        "detail": "too much to do; wait",
        "instance": "urn:tidegate:prediction:p-1",
        "errors": [{"row": 1}],
    }


def test_a_problem_without_more_says_no_more() -> None:
    assert Problem("not-found", "no").document().keys() == {"type", "title", "status", "detail"}


def test_a_client_is_known_by_its_key() -> None:
    settings = FrontDoor("rain-test", "api_key", {"key-1": Client("app", tester=True)})

    assert caller_of(context(identity={"apiKeyId": "key-1"}), settings) == TESTER
    assert caller_of(context(identity={"apiKeyId": "key-2"}), settings) == Caller("key-2", "key-2")


@pytest.mark.parametrize("listed", [ROLE, "arn:aws:iam::111122223333:role/Forecaster"])
def test_a_role_is_known_by_its_session_whatever_its_path(listed: str) -> None:
    settings = FrontDoor("rain-test", "iam", {listed: Client("forecaster", tester=True)})
    caller = caller_of(context(identity={"userArn": SESSION}), settings)

    assert caller == Caller("forecaster", "arn:aws:iam::111122223333:role/Forecaster", tester=True)


@pytest.mark.parametrize(
    "arn",
    [
        SESSION.replace("1111", "9999"),
        SESSION.replace("Forecaster", "Other"),
        SESSION.replace(":aws:", ":aws-cn:"),
        USER,
    ],
)
def test_whoever_is_no_client_may_not_call_whatever_iam_allows(arn: str) -> None:
    settings = FrontDoor("rain-test", "iam", {ROLE: Client("forecaster", tester=True)})

    with pytest.raises(Problem) as raised:
        caller_of(context(identity={"userArn": arn}), settings)
    assert raised.value.slug == "forbidden"


@pytest.mark.parametrize(("ago", "taken"), [(-10, True), (30, True), (61, False)])
def test_a_token_that_has_expired_meanwhile_is_no_longer_taken(ago: float, taken: bool) -> None:
    told = {"client": "c-1", "principalId": "ann", "expires": str(time.time() - ago)}
    settings = front_door("jwt", **{"c-1": Client("app")})
    if taken:
        assert caller_of(context(authorizer=told), settings).client == "app"
        return
    with pytest.raises(Problem) as raised:
        caller_of(context(authorizer=told), settings)
    assert raised.value.slug == "unauthorized"


def test_a_user_is_known_by_its_arn() -> None:
    settings = FrontDoor("rain-test", "iam", {USER: Client("ann")})

    assert caller_of(context(identity={"userArn": USER}), settings).client == "ann"


def test_a_bearer_is_known_by_what_the_authorizer_says() -> None:
    told = {"client": "c-1", "scopes": "a b", "attributes": '{"team": "north"}', "principalId": "ann"}
    caller = caller_of(context(authorizer=told), front_door("jwt", **{"c-1": Client("app")}))

    assert caller == Caller("app", "ann", frozenset({"a", "b"}), {"team": "north"})


@pytest.mark.parametrize(
    ("scopes", "tester", "expected"),
    [
        ("tidegate/target-variant", False, True),
        ("", True, True),
        ("tidegate/target", False, False),
        ("tidegate/target-variants not-tidegate/target-variant", False, False),
        (None, False, False),
    ],
)
def test_a_scope_or_the_settings_make_a_tester(scopes: str | None, tester: bool, expected: bool) -> None:
    told = {"client": "c-1", "scopes": scopes}
    caller = caller_of(context(authorizer=told), front_door("jwt", **{"c-1": Client("app", tester=tester)}))

    assert caller.tester is expected


@pytest.mark.parametrize("auth", ["api_key", "jwt", "iam"])
@pytest.mark.parametrize("told", [{}, {"identity": None, "authorizer": None}, {"identity": {"apiKeyId": None}}])
def test_nobody_in_particular_is_not_let_in(auth: Auth, told: dict[str, Any]) -> None:
    with pytest.raises(Problem) as raised:
        caller_of(context(**told), front_door(auth))
    assert raised.value.status == 401


def test_what_a_caller_says_is_read() -> None:
    request = with_headers(
        ("tidegate-caller", "ann smith"),
        ("Tidegate-Subject", "patient/7"),
        ("TIDEGATE-TARGET-VARIANT", "green"),
        ("Idempotency-Key", "k" * 256),
    )

    assert asked(request, TESTER) == Asked("ann smith", "patient/7", "green", "k" * 256)


def test_nothing_is_made_up_for_a_caller_who_says_nothing() -> None:
    assert asked(with_headers(), CLIENT) == Asked()


@pytest.mark.parametrize("name", [headers.CALLER, headers.SUBJECT, headers.IDEMPOTENCY, headers.TARGET])
@pytest.mark.parametrize("value", ["", " ", "a" * 257, "größe", "a\tb", "a\nb", "a\n", "\x7f", " a", "a "])
def test_a_header_that_is_no_short_line_of_ascii_is_refused(name: str, value: str) -> None:
    with pytest.raises(Problem, match="printable ASCII") as raised:
        asked(with_headers((name, value)), TESTER)
    assert (raised.value.slug, raised.value.status) == ("invalid-header", 400)
    assert name in raised.value.detail
    assert len(raised.value.detail) < 200


def test_a_header_is_sent_once() -> None:
    with pytest.raises(Problem, match="sent 2 times"):
        asked(with_headers((headers.CALLER, "ann"), (headers.CALLER, "bob")), CLIENT)


def test_only_a_tester_chooses_the_variant() -> None:
    with pytest.raises(Problem) as raised:
        asked(with_headers((headers.TARGET, "blue")), CLIENT)
    assert raised.value.slug == "forbidden"


def test_there_are_two_variants_to_choose_from() -> None:
    with pytest.raises(Problem, match="send blue or green"):
        asked(with_headers((headers.TARGET, "red")), TESTER)
