from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tidegate.demo.models import by_content
from tidegate.demo.observations import Observations
from tidegate.demo.recorder import Poller, Recorder
from tidegate.live import BOOTSTRAP, VersionsByConfig
from tidegate.settings import EndpointSettings

MODELS = {"blue": "s3://assets/seed.tar.gz", "green": "s3://artefacts/new.tar.gz"}


class Ticks:
    """Each look at the clock is a second later."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        self.time += 1
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def seen() -> Observations:
    return Observations(started=100.0, endpoint="rain-local", rate=40.0)


@pytest.fixture
def recorder(account: Any, endpoint: EndpointSettings, seen: Observations) -> Recorder:
    account.s3.objects = {MODELS["blue"]: b"unknown", MODELS["green"]: b"trained"}
    digest = hashlib.sha256(b"trained").hexdigest()
    versions = VersionsByConfig(account.aws, by_content(account.aws, {digest: "1.1.0"}))
    account.serve("mixed", {"blue": 90.0, "green": 10.0}, MODELS)
    return Recorder(account.aws, endpoint, seen, versions, Ticks())


def test_a_look_records_weights_and_when_it_was_asked_and_answered(recorder: Recorder, seen: Observations) -> None:
    recorder.look_at_endpoint()
    sighting = seen.sightings[0]
    assert (sighting.asked, sighting.at) == (101.0, 102.0)
    assert sighting.weights == {"blue": 90.0, "green": 10.0}
    assert seen.configs == {"mixed": {"blue": BOOTSTRAP, "green": "1.1.0"}}


def test_an_alarm_is_recorded_when_its_state_changes(recorder: Recorder, seen: Observations, account: Any) -> None:
    name, since = "rain-local-green-unhealthy", datetime(2026, 1, 1, tzinfo=UTC)
    account.cloudwatch.states[name] = ("OK", since)
    recorder.look_at_alarms()
    recorder.look_at_alarms()
    account.cloudwatch.states[name] = ("ALARM", since.replace(hour=1))
    recorder.look_at_alarms()
    assert [(alarm.state, alarm.since) for alarm in seen.alarms] == [
        ("OK", since.timestamp()),
        ("ALARM", since.timestamp() + 3600),
    ]


def test_the_audit_trail_and_rollouts_are_as_they_stand(recorder: Recorder, seen: Observations, account: Any) -> None:
    account.dynamodb.put("AUDIT#r1#00000001", at="2026-01-01T10:00:00+00:00", rollout="r1", text="Starts.")
    account.dynamodb.put("ROLLOUT#r1", id="r1", version="1.1.0", phase="PREPARE")
    recorder.look_at_audit()
    recorder.look_at_audit()
    assert [entry.text for entry in seen.audit] == ["Starts."]
    assert [(rollout.version, rollout.ended) for rollout in seen.rollouts] == [("1.1.0", False)]


def test_versions_are_known_by_the_bytes_of_the_model(account: Any) -> None:
    account.s3.objects = {"s3://bucket/some/key": b"trained"}
    other, trained = (hashlib.sha256(body).hexdigest() for body in (b"other", b"trained"))
    assert by_content(account.aws, {other: "1.1.0"})("s3://bucket/some/key") == BOOTSTRAP
    assert by_content(account.aws, {trained: "1.1.0"})("s3://bucket/some/key") == "1.1.0"


def test_a_failed_look_is_noted_and_the_next_one_goes_on() -> None:
    looks: list[int] = []
    noted: list[str] = []
    enough = Event()

    def look() -> None:
        looks.append(1)
        if len(looks) == 3:
            enough.set()
        if len(looks) == 1:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    poller = Poller(look, 0.001, noted.append)
    poller.start()
    enough.wait(10)
    poller.stop()
    assert len(noted) == 1
    assert "127.0.0.1" in noted[0]
