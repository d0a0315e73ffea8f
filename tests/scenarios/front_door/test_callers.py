"""Who calls, with which key, how often, and what they ask for in headers."""

import http.client
import socket
from urllib.parse import urlsplit

import pytest

from tests.scenarios.front_door.door import JSON, ROW, Door
from tests.scenarios.front_door.doors import MONTHLY, SLOW_BURST

ROUTES = (("POST", "/predictions"), ("GET", "/schema"), ("POST", "/jobs"), ("GET", f"/jobs/{'0' * 32}"))


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_calls_without_a_key_of_the_endpoints_own(keyed: Door, tokened: Door, method: str, path: str) -> None:
    wrong: list[dict[str, str]] = [{}, {"X-Api-Key": ""}, {"X-Api-Key": "x" * 40}, tokened.key("shop")]
    for headers in wrong:
        refused = keyed.send(method, path, None if method == "GET" else {"instances": [ROW]}, JSON | headers)
        assert "API key" in refused.problem(403, "forbidden")["detail"]
        assert "Tidegate-Prediction-Id" not in refused.headers, "no function was asked"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("/", "/nothing", "/predictions", "/predictions/", "/schema/x", "/jobs", "/jobs/")),
        *(("GET", path) for path in ("/jobs/1/2", "/../keyed", "/%2e%2e/x", "/predictions%00", "//predictions")),
        *((method, path) for method in ("PUT", "DELETE", "PATCH", "OPTIONS") for _, path in ROUTES),
        *(("POST", path) for path in ("/schema", "/jobs/1", "/PREDICTIONS")),
        ("BREW", "/predictions"),
    ],
)
def test_there_is_nothing_else(keyed: Door, method: str, path: str) -> None:
    refused = keyed.send(method, path, headers=keyed.key("shop"))
    assert "nothing at this path and method" in refused.problem(403, "forbidden")["detail"]


def test_a_head_of_what_is_there_has_no_body(keyed: Door) -> None:
    answer = keyed.send("HEAD", "/schema", headers=keyed.key("shop"))
    assert (answer.status, answer.body) == (403, b"")


@pytest.mark.parametrize(
    "identity", ["0" * 32, "x", "%0d%0aSet-Cookie:%20a=b", "..%2f..%2fetc", "%ff", "'", "a" * 2000]
)
def test_there_is_no_such_job(keyed: Door, identity: str) -> None:
    answer = keyed.send("GET", f"/jobs/{identity}", headers=keyed.key("shop"))
    assert answer.problem(404, "not-found")["detail"] == "there is no such job, or it is no longer kept"
    assert "Set-Cookie" not in answer.headers


HEADERS = {
    "empty": "",
    "long": "x" * 257,
    "not ASCII": "é",
    "a tab": "a\tb",
}


@pytest.mark.parametrize("name", ["Tidegate-Caller", "Tidegate-Subject", "Idempotency-Key"])
@pytest.mark.parametrize("value", HEADERS.values(), ids=HEADERS)
def test_a_header_that_is_no_short_line_of_text_is_refused(keyed: Door, name: str, value: str) -> None:
    refused = keyed.send("POST", "/jobs", {"instances": [ROW]}, JSON | keyed.key("shop") | {name: value})
    assert refused.problem(400, "invalid-header")["detail"].startswith(f"{name} is ")


@pytest.mark.parametrize("value", ["x" * 256, "%0d%0aSet-Cookie: a=b", '{"$ne": 1}', "'; DROP TABLE", "${jndi:ldap}"])
def test_what_looks_dangerous_is_only_text(keyed: Door, value: str) -> None:
    headers = {"Tidegate-Caller": value, "Tidegate-Subject": value, "X-Forwarded-For": value}
    answer = keyed.predict(keyed.key("shop") | headers)
    assert answer.status == 200, answer.body
    assert "Set-Cookie" not in answer.headers
    assert value not in str(answer.headers)


def test_a_header_that_comes_twice_is_refused(keyed: Door) -> None:
    lines = [("Tidegate-Caller", "ann"), ("Tidegate-Caller", "bob")]
    status, body = raw(keyed, lines)
    assert status == 400
    assert b"Tidegate-Caller was sent 2 times; send it once" in body


@pytest.mark.parametrize("value", ["a\rSet-Cookie: b", "a\nSet-Cookie: b", "a\x00b", "a\x01b", "a\r\n Set-Cookie: b"])
def test_no_line_ends_in_a_header(keyed: Door, value: str) -> None:
    """Servers refuse such lines before any API has them, or take what follows for another header."""
    status, answer = raw(keyed, [("Tidegate-Caller", value)])
    assert b"Set-Cookie" not in answer.partition(b"\r\n\r\n")[0]
    assert status in (200, 400), answer


def raw(door: Door, headers: list[tuple[str, str]]) -> tuple[int, bytes]:
    """Send a good request with headers as they are, which no client library would; return the status and all of it."""
    at = urlsplit(door.url)
    body = b'{"instances": [[33.6,28.7,1023.8,5.3,5.7,10.1,34,32]]}'
    good = [("Host", at.netloc), ("Content-Length", str(len(body))), *(JSON | door.key("shop")).items()]
    lines = [f"POST {at.path}/predictions HTTP/1.1", *(f"{name}: {value}" for name, value in [*good, *headers])]
    with socket.create_connection((at.hostname, at.port), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body)
        answer = b""
        while received := connection.recv(65536):
            answer += received
    return int(answer.split()[1]), answer


def test_headers_too_long_for_api_gateway_are_refused(keyed: Door) -> None:
    answer = keyed.predict(keyed.key("shop") | {"X-Long": "x" * 10_240})
    assert answer.status == http.client.REQUEST_HEADER_FIELDS_TOO_LARGE


def test_only_a_tester_chooses_who_answers(keyed: Door) -> None:
    rows = [[*ROW[:7], 31]]  # of its own, so that no other test has left the answer
    live = keyed.predict(keyed.key("shop"), rows).headers["Tidegate-Variant"]
    asked = {"Tidegate-Target-Variant": live}
    refused = keyed.predict(keyed.key("shop") | asked).problem(403, "forbidden")
    assert refused["detail"] == "shop is no tester; leave Tidegate-Target-Variant out, or have it made one"
    answer = keyed.predict(keyed.key("lab") | asked)
    assert (answer.status, answer.headers["Tidegate-Variant"]) == (200, live)
    other = {"blue": "green", "green": "blue"}[live]
    detail = keyed.predict(keyed.key("lab") | {"Tidegate-Target-Variant": other}).problem(404, "not-found")["detail"]
    assert f"has no variant {other} just now" in detail
    odd = keyed.predict(keyed.key("lab") | {"Tidegate-Target-Variant": "purple"})
    assert "'purple'; send blue or green" in odd.problem(400, "invalid-header")["detail"]


def test_who_is_too_fast_is_told_when_to_come_again(keyed: Door) -> None:
    answers = [keyed.send("GET", "/jobs/x", headers=keyed.key("slow")) for _ in range(SLOW_BURST + 10)]
    assert {answer.status for answer in answers} == {404, 429}
    refused = next(answer for answer in answers if answer.status == 429)
    assert "in a second" in refused.problem(429, "throttled")["detail"]
    assert refused.headers["Retry-After"] == "1"
    assert keyed.send("GET", "/jobs/x", headers=keyed.key("shop")).status == 404, "another client is not held up"


def test_who_has_used_up_the_month_is_told(keyed: Door) -> None:
    answers = [keyed.send("GET", "/jobs/x", headers=keyed.key("poor")) for _ in range(MONTHLY + 2)]
    assert [answer.status for answer in answers] == [404] * MONTHLY + [429] * 2
    assert "quota of the month" in answers[-1].problem(429, "throttled")["detail"]
    assert "Retry-After" not in answers[-1].headers, "a second later it is no better"
