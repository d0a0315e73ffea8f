"""A front door whose callers bring tokens."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from tests.scenarios.front_door.door import Answer, Door
from tests.scenarios.front_door.doors import SCOPE, SLOW_BURST
from tests.scenarios.front_door.issuer import KEY_ID, Issuer, key_pair


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def unpadded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def encoded(content: Any) -> str:
    return unpadded(json.dumps(content).encode())


def check_refused(answer: Answer) -> None:
    assert answer.problem(401, "unauthorized")["detail"] == "Bring a valid token in the header Authorization."
    assert "Tidegate-Prediction-Id" not in answer.headers, "no function was asked"


def test_a_good_token_is_answered(tokened: Door, issuer: Issuer) -> None:
    answer = tokened.predict(issuer.bearing())
    assert answer.status == 200, answer.body
    assert len(answer.json["predictions"]) == 1
    assert tokened.send("GET", "/schema", headers=issuer.bearing()).status == 200


def test_the_issuer_is_not_asked_for_each_token(tokened: Door, issuer: Issuer) -> None:
    assert tokened.predict(issuer.bearing(sub="bob")).status == 200
    asked = issuer.asked
    for number in range(3):
        assert tokened.predict(issuer.bearing(sub=f"user-{number}")).status == 200
    assert issuer.asked == asked


CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": int(time.time()) - 120},
    "for ever": {"exp": None},
    "not yet": {"nbf": int(time.time()) + 3600},
    "another issuer": {"iss": "https://issuer.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "snow-api"},
    "no audience": {"aud": None},
    "no client": {"client_id": None},
    "no subject": {"sub": None},
}


@pytest.mark.parametrize("changed", CLAIMS.values(), ids=CLAIMS)
def test_a_token_with_other_claims_is_refused(tokened: Door, issuer: Issuer, changed: dict[str, Any]) -> None:
    check_refused(tokened.predict(issuer.bearing(**changed)))


def test_a_token_by_another_key_is_refused(tokened: Door, issuer: Issuer) -> None:
    check_refused(tokened.predict(bearing(issuer.token(key_pair()))))


def test_a_token_by_another_algorithm_is_refused(tokened: Door, issuer: Issuer) -> None:
    same = RSAKey.import_key(issuer.keys.as_pem(private=True), {"kid": KEY_ID})
    assert tokened.predict(bearing(issuer.token(same))).status == 200
    check_refused(tokened.predict(bearing(issuer.token(same, "RS512"))))
    check_refused(tokened.predict(bearing(issuer.token(same, "PS256"))))


def test_the_public_key_is_no_secret_to_sign_with(tokened: Door, issuer: Issuer) -> None:
    signed = f"{encoded({'alg': 'HS256', 'kid': KEY_ID})}.{encoded(issuer.claims())}"
    for secret in (issuer.keys.as_pem(private=False), issuer.published()):
        digest = hmac.digest(secret, signed.encode(), "sha256")
        check_refused(tokened.predict(bearing(f"{signed}.{unpadded(digest)}")))


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "", None])
def test_a_token_that_nobody_has_signed_is_refused(tokened: Door, issuer: Issuer, algorithm: str | None) -> None:
    head = encoded({"alg": algorithm, "kid": KEY_ID})
    signature = issuer.token().split(".")[2]
    for end in ("", signature):
        check_refused(tokened.predict(bearing(f"{head}.{encoded(issuer.claims())}.{end}")))


def test_a_token_that_was_changed_is_refused(tokened: Door, issuer: Issuer) -> None:
    head, _, signature = issuer.token().split(".")
    changed = encoded(issuer.claims(scope=SCOPE))
    check_refused(tokened.predict(bearing(f"{head}.{changed}.{signature}")))
    check_refused(tokened.predict(bearing(f"{head}.{changed}")))


def test_what_is_no_token_is_refused(tokened: Door, issuer: Issuer) -> None:
    wrong = ["", "Bearer", "Bearer ", "Bearer a.b.c", "Basic YTpi", issuer.token(), f"Bearer {'x' * 8000}"]
    for value in wrong:
        check_refused(tokened.predict({"Authorization": value}))
    check_refused(tokened.predict({}))
    check_refused(tokened.predict(tokened.key("shop")))  # which opens nothing by itself


def test_a_client_that_is_not_in_the_file_is_refused(tokened: Door, issuer: Issuer) -> None:
    refused = tokened.predict(issuer.bearing(client_id="stranger") | tokened.key("shop"))
    assert "no known client" in refused.problem(403, "forbidden")["detail"]


def test_a_token_is_counted_for_its_client(tokened: Door, issuer: Issuer) -> None:
    token = issuer.bearing(client_id="slow-backend")
    answers = [tokened.send("GET", "/schema", headers=token) for _ in range(SLOW_BURST + 10)]
    assert {answer.status for answer in answers} == {200, 429}
    refused = next(answer for answer in answers if answer.status == 429)
    refused.problem(429, "throttled")
    assert refused.headers["Retry-After"] == "1"
    assert tokened.predict(issuer.bearing()).status == 200, "another client is not held up"


def test_a_scope_makes_a_tester(tokened: Door, issuer: Issuer) -> None:
    live = tokened.predict(issuer.bearing()).headers["Tidegate-Variant"]
    asked = {"Tidegate-Target-Variant": live}
    refused = tokened.predict(issuer.bearing(scope="rain/read") | asked).problem(403, "forbidden")
    assert refused["detail"].startswith("shop is no tester")
    for scope in (f"rain/read {SCOPE}", SCOPE):
        answer = tokened.predict(issuer.bearing(scope=scope) | asked)
        assert (answer.status, answer.headers["Tidegate-Variant"]) == (200, live)
