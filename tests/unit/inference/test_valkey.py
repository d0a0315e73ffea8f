"""Answers that are kept in Valkey: found again, never taken for others, and done without while it is away."""

import json
import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lambdas.contract import CACHE_FAILURES_METRIC, METRIC_ENDPOINT_DIMENSION, METRIC_NAMESPACE
from lambdas.inference.adapters import clients
from lambdas.inference.adapters.log import JsonLog
from lambdas.inference.adapters.valkey_answers import name_of
from lambdas.inference.adapters.valkey_connection import LONGEST_IDLE_SECONDS, LONGEST_SECONDS, connect
from lambdas.inference.adapters.valkey_token import ConnectToken
from lambdas.inference.cache import LARGEST_BYTES
from lambdas.inference.ports import AnswerKey
from lambdas.inference.resting import REST_SECONDS
from lambdas.inference.settings import Cache, FrontDoor, Valkey
from localcloud.services.functions.log_shipper import embedded_metrics

fakes: Any = sys.modules["inference_serving_fakes"]
OTHER_ROWS = [[3.0, 4.0]]


@pytest.fixture
def door(make_door: Any) -> Any:
    return make_door(in_memory=True)


def stored(door: Any) -> str:
    (name,) = door.valkey.values
    return str(name)


def put(door: Any, value: bytes) -> None:
    door.valkey.values = {stored(door): (value, door.clock() + 60)}


def test_the_same_rows_are_answered_from_it_without_the_table(door):
    assert door.said() == ("v1", "model")
    assert door.said() == ("v1", "cache")
    assert door.said(OTHER_ROWS) == ("v1", "model")
    assert door.table.items == {}
    assert door.valkey.asked == ["CONNECT", "GET", "SET", "GET", "GET", "SET"]


def test_it_stands_under_the_endpoint_and_what_gave_it(door):
    door.predict()
    endpoint, rest = stored(door).split(":", 1)
    assert endpoint == fakes.ENDPOINT
    assert rest.startswith("arn:v1@config:")
    assert name_of(AnswerKey("a", "b", "c")) == "a:b:c"


def test_it_expires_when_it_may_no_longer_stand_in(make_door):
    door = make_door(in_memory=True, cache=Cache(seconds=60, stale_seconds=600))
    door.predict()
    ((_, ends),) = door.valkey.values.values()
    assert ends - door.clock() == 601
    door.clock.time += 599
    door.runtime.errors = [fakes.away()]
    assert door.said() == ("v1", "stale")
    door.clock.time += 2
    assert door.said() == ("v1", "model")


def test_an_answer_of_another_version_under_its_key_is_not_believed(door):
    door.predict()
    head, _, body = door.valkey.values[stored(door)][0].partition(b"\n")
    put(door, json.dumps({**json.loads(head), "who": "arn:v0@config"}).encode() + b"\n" + body)
    assert door.said() == ("v1", "model")


def test_an_answer_to_another_question_is_not_believed(door):
    door.predict()
    (value, _) = door.valkey.values[stored(door)]
    door.valkey.values.clear()
    door.predict(OTHER_ROWS)
    put(door, value)
    assert door.said(OTHER_ROWS) == ("v1", "model")
    assert door.log.warnings == []


@pytest.mark.parametrize("value", [b"", b"\n", b"null\n{}", b"{}\n{}", b"\xff\n{}", b'{"name":', 7, [b"x"]])
def test_a_value_that_is_no_answer_is_said_and_done_without(door, value):
    door.predict()
    put(door, value)
    assert door.said() == ("v1", "model")
    assert "could not be read" in door.log.warnings[0]
    assert door.said() == ("v1", "cache"), "the next answer has taken its place"


def test_answers_that_are_too_big_are_not_sent(door):
    row = [1.0, 2.0]
    rows = [row] * (LARGEST_BYTES // len('{"by": "v1"}'))
    assert door.said(rows) == ("v1", "model")
    assert door.valkey.asked == ["CONNECT", "GET"]


@pytest.mark.parametrize("state", ["away", "silent"])
def test_a_cache_that_is_away_is_left_alone_and_warned_of_once(door, state):
    door.predict()
    door.valkey.state = state
    before = len(door.valkey.asked)
    for _ in range(20):
        assert door.said() == ("v1", "model")
    assert len(door.valkey.asked) - before <= 2, "one failure, and nothing after it"
    door.clock.time += REST_SECONDS
    door.predict()
    tried = len(door.valkey.asked)
    door.predict()
    assert len(door.valkey.asked) == tried
    (warned,) = door.log.warnings
    assert "left alone" in warned


def test_each_try_that_fails_is_counted_for_the_alarm(door):
    door.predict()
    assert door.log.counted == []
    door.valkey.state = "away"
    for tries in range(1, 4):
        door.predict()
        door.predict()
        assert door.log.counted == [CACHE_FAILURES_METRIC] * tries
        door.clock.time += REST_SECONDS
    door.valkey.state = "there"
    door.predict()
    assert len(door.log.counted) == 3


def test_what_is_counted_is_a_metric_by_endpoint(capsys):
    log = JsonLog("tidegate-predict", endpoint="rain-local")
    log.bind(prediction="1")
    log.count(CACHE_FAILURES_METRIC)
    ((namespace, name, dimensions, value, unit, at),) = embedded_metrics(capsys.readouterr().out)
    assert (namespace, name, value, unit) == (METRIC_NAMESPACE, CACHE_FAILURES_METRIC, 1, "Count")
    assert dimensions == {METRIC_ENDPOINT_DIMENSION: "rain-local"}
    assert abs(at - time.time()) < 60


def test_a_cache_that_is_there_again_is_used_again(door):
    door.predict()
    door.valkey.state = "away"
    door.predict()
    door.valkey.state = "there"
    assert door.said() == ("v1", "model")
    door.clock.time += REST_SECONDS
    assert door.said() == ("v1", "cache")
    door.valkey.state = "away"
    door.predict()
    assert len(door.log.warnings) == 2, "it is away once more"


def test_a_strange_value_is_no_reason_to_leave_it_alone(door):
    door.predict()
    door.valkey.state = "away"
    door.predict()
    door.valkey.state = "there"
    put(door, b"{}")
    door.clock.time += REST_SECONDS
    assert door.said() == ("v1", "model")
    assert door.said() == ("v1", "cache")


def test_a_refusal_is_a_failure_and_leaves_the_connection(door):
    door.valkey.refuses = "NOPERM"
    assert door.said() == ("v1", "model")
    assert "NOPERM" in door.log.warnings[0]
    door.valkey.refuses = None
    door.clock.time += REST_SECONDS
    door.predict()
    assert door.valkey.asked.count("CONNECT") == 1


def test_a_connection_that_has_ended_meanwhile_is_made_anew_once(door):
    door.predict()
    door.valkey.cut()
    assert door.said() == ("v1", "cache")
    assert door.valkey.asked.count("CONNECT") == 2
    assert door.log.warnings == []
    assert door.valkey.wires[0].ended


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(door):
    """The server gives its answers in order: whoever goes on after a time-out is one behind for ever."""
    door.predict()
    door.predict(OTHER_ROWS)
    door.valkey.state = "silent"
    door.predict()
    door.valkey.state = "there"
    door.clock.time += REST_SECONDS
    assert door.valkey.wires[0].ended
    assert door.said(OTHER_ROWS) == ("v1", "cache")
    assert door.valkey.asked.count("CONNECT") == 2
    assert len(door.log.warnings) == 1


@pytest.mark.parametrize("seconds", [LONGEST_IDLE_SECONDS + 1, LONGEST_SECONDS + 1])
def test_a_connection_is_not_trusted_for_ever(make_door, seconds):
    door = make_door(in_memory=True, cache=Cache(seconds=100_000, stale_seconds=100_000))
    door.predict()
    door.clock.time += seconds
    assert door.said() == ("v1", "cache")
    assert door.valkey.asked.count("CONNECT") == 2


def test_a_connection_ends_before_aws_ends_it(make_door):
    door = make_door(in_memory=True, cache=Cache(seconds=100_000, stale_seconds=100_000))
    for _ in range(12 * 60):
        door.predict()
        door.clock.time += 60
    assert door.valkey.asked.count("CONNECT") == 2


def test_priming_connects_and_forgives(door):
    door.predictor.prime()
    assert door.valkey.asked == ["CONNECT"]
    other = fakes.Door(in_memory=True)
    other.valkey.state = "away"
    other.predictor.prime()
    assert len(other.log.warnings) == 1


def test_a_cache_that_is_switched_off_is_not_asked(door):
    door.flags.off("cache")
    assert [door.said() for _ in range(2)] == [("v1", "model")] * 2
    assert door.valkey.asked == []


def test_certificates_are_checked_and_nobody_is_waited_for(monkeypatch):
    made: list[dict[str, Any]] = []

    class Recorded(fakes.FakeWire):  # type: ignore[misc, name-defined]
        def __init__(self, **options: Any) -> None:
            made.append(options)

        def connect(self) -> None:
            return

    monkeypatch.setattr("valkey.SSLConnection", Recorded)
    connect(Valkey("h.example.com", 6379, "n", "u"))
    (options,) = made
    assert (options["host"], options["port"]) == ("h.example.com", 6379)
    assert (options["ssl_cert_reqs"], options["ssl_check_hostname"]) == ("required", True)
    assert not any(name.startswith("ssl_ca") for name in options), "what this machine trusts is enough"
    assert max(options["socket_timeout"], options["socket_connect_timeout"]) <= 0.3
    assert options["credential_provider"].get_credentials


def test_tokens_are_signed_for_the_cache_and_the_user(monkeypatch):
    for name, value in (("ACCESS_KEY_ID", "AKID"), ("SECRET_ACCESS_KEY", "secret"), ("SESSION_TOKEN", "session")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    clients.session.cache_clear()
    user, token = ConnectToken("rain-prod-1", "somebody").get_credentials()
    clients.session.cache_clear()
    assert user == "somebody"
    assert token.startswith("rain-prod-1/?"), "without the scheme"
    query = {name: value for name, (value,) in parse_qs(urlsplit(f"https://{token}").query).items()}
    assert (query["Action"], query["User"]) == ("connect", "somebody")
    assert query["ResourceType"] == "ServerlessCache"
    assert int(query["X-Amz-Expires"]) <= 900
    assert query["X-Amz-Credential"].endswith("/eu-west-1/elasticache/aws4_request")
    assert query["X-Amz-Security-Token"] == "session"
    assert query["X-Amz-Signature"]


def test_settings_say_where_it_is():
    text = json.dumps(
        {
            "endpoint": "rain-local",
            "auth": "iam",
            "clients": {},
            "segments": [],
            "breaker": {},
            "cache": {
                "seconds": 1,
                "stale_seconds": 2,
                "valkey": {"host": "h", "port": "6379", "name": "n", "user": "u"},
            },
        }
    )
    assert FrontDoor.read(text).cache == Cache(1, 2, Valkey("h", 6379, "n", "u"))
