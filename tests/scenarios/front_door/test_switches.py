"""On-call people switch parts of a front door off by AppConfig, and on again."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.scenarios.front_door.door import JSON, ROW, Door, wait_for

POLL_SECONDS = 15
"""The least time between two looks that AppConfig allows."""

NAMES = ("front-door", "cache", "routing", "jobs")
Switch = Callable[..., None]


@pytest.fixture
def switch(keyed: Door) -> Iterator[Switch]:
    """Switches all off that is named, and all else on."""
    yield lambda *off: _deploy(keyed, off)
    _deploy(keyed, ())
    _forget(keyed)


def _deploy(door: Door, off: tuple[str, ...]) -> None:
    client = door.cloud.client("appconfig")
    applications = {each["Name"]: each["Id"] for each in client.list_applications()["Items"]}
    at = {"ApplicationId": applications[f"tidegate-{door.endpoint}"]}
    (environment,) = client.list_environments(**at)["Items"]
    (profile,) = client.list_configuration_profiles(**at)["Items"]
    strategies = {each["Name"]: each["Id"] for each in client.list_deployment_strategies()["Items"]}
    flags = {
        "version": "1",
        "flags": {name: {"name": name} for name in NAMES},
        "values": {name: {"enabled": name not in off} for name in NAMES},
    }
    made = client.create_hosted_configuration_version(
        **at, ConfigurationProfileId=profile["Id"], Content=json.dumps(flags), ContentType="application/json"
    )
    client.start_deployment(
        **at,
        EnvironmentId=environment["Id"],
        ConfigurationProfileId=profile["Id"],
        ConfigurationVersion=str(made["VersionNumber"]),
        DeploymentStrategyId=strategies[f"tidegate-{door.endpoint}-at-once"],
    )


def _forget(door: Door) -> None:
    """Let other instances of the functions answer, which ask at once, as after a crash."""
    for handler in ("predict", "jobs"):
        door.cloud.functions.kill(door.function(handler))


def test_it_is_switched_off_and_on_again(keyed: Door, switch: Switch) -> None:
    assert keyed.predict(keyed.key("shop")).status == 200
    switch("front-door")
    patience = 4 * POLL_SECONDS
    closed = wait_for(lambda: _unless(200, keyed), "the running instances to heed the switch", patience)
    problem = closed.problem(503, "unavailable")
    assert problem["detail"] == f"the front door of {keyed.endpoint} has been switched off; try again later"
    assert closed.headers["Retry-After"] == "30"
    _forget(keyed)
    keyed.send("GET", "/schema", headers=keyed.key("shop")).problem(503, "unavailable")
    job = keyed.send("POST", "/jobs", {"instances": [ROW]}, JSON | keyed.key("shop"))
    assert "jobs of" in job.problem(503, "unavailable")["detail"]
    keyed.send("GET", "/jobs/x", headers=keyed.key("shop")).problem(404, "not-found")
    switch()
    _forget(keyed)
    assert keyed.predict(keyed.key("shop")).status == 200


def _unless(status: int, door: Door) -> Any:
    answer = door.predict(door.key("shop"))
    return None if answer.status == status else answer


def test_jobs_alone_are_switched_off(keyed: Door, switch: Switch) -> None:
    switch("jobs")
    _forget(keyed)
    refused = keyed.send("POST", "/jobs", {"instances": [ROW]}, JSON | keyed.key("shop"))
    refused.problem(503, "unavailable")
    assert refused.headers["Retry-After"] == "30"
    assert keyed.predict(keyed.key("shop")).status == 200


def test_the_cache_alone_is_switched_off(keyed: Door, switch: Switch) -> None:
    rows = [[*ROW[:-1], 30.5]]

    def source() -> str:
        answer = keyed.predict(keyed.key("shop"), rows)
        assert answer.status == 200, answer.body
        return str(answer.headers["Tidegate-Answer"])

    assert [source(), source()] == ["model", "cache"]
    switch("cache")
    _forget(keyed)
    assert [source(), source()] == ["model", "model"]
    switch()
    _forget(keyed)
    assert source() == "cache"
