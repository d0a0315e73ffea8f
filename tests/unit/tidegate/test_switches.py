from __future__ import annotations

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.inference.flags import Switches
from tests.unit.tidegate.conftest import SETTINGS
from tidegate import cli
from tidegate.commands import context as surroundings
from tidegate.errors import OperatorError
from tidegate.front_door import FrontDoor
from tidegate.switches import FLAGS, Profile, profile_of, states, switch

PLACES = {"application": "app", "environment": "env", "profile": "profile", "strategy": "at-once"}
PROFILE = Profile(**PLACES, configured=("front-door", "routing"))
ENDPOINT: Any = SimpleNamespace(name="rain-dev", environment="dev")


class AppConfig:
    """Versions of one profile, and which of them were deployed."""

    def __init__(self, **values: bool) -> None:
        flags = {name: {"name": name} for name in FLAGS}
        told = {name.replace("_", "-"): {"enabled": on, "note": "kept"} for name, on in values.items()}
        self.versions = [{"version": "1", "flags": flags, "values": told}]
        self.deployed: list[dict[str, str]] = []

    def list_hosted_configuration_versions(self, **_: Any) -> Any:
        # AWS promises no order.
        return {"Items": [{"VersionNumber": 1 + index} for index in reversed(range(len(self.versions)))]}

    def get_hosted_configuration_version(self, VersionNumber: int, **_: Any) -> Any:
        return {"Content": io.BytesIO(json.dumps(self.versions[VersionNumber - 1]).encode())}

    def create_hosted_configuration_version(self, Content: bytes, **_: Any) -> Any:
        self.versions.append(json.loads(Content))
        return {"VersionNumber": len(self.versions)}

    def start_deployment(self, **asked: str) -> None:
        self.deployed.append(asked)


def account(**values: bool) -> Any:
    return SimpleNamespace(appconfig=AppConfig(**values))


def test_the_flags_are_those_that_the_functions_read() -> None:
    off = {flag: {"enabled": False} for flag in FLAGS}
    assert Switches.of(off) == Switches(front_door=False, cache=False, routing=False, jobs=False)


def test_what_is_not_switched_off_is_on() -> None:
    assert states(account(cache=False), PROFILE) == {"front-door": True, "cache": False, "routing": True, "jobs": True}


def test_what_was_deployed_by_an_older_or_newer_version_can_be_switched_too() -> None:
    older, newer = {"switches": PLACES}, {"switches": {**PLACES, "configured": ["cache"], "colour": "red"}}
    assert profile_of(FrontDoor("https://a/", "iam", older), ENDPOINT) == Profile(**PLACES, configured=FLAGS)
    assert profile_of(FrontDoor("https://a/", "iam", newer), ENDPOINT) == Profile(**PLACES, configured=["cache"])


def test_one_flag_is_switched_and_rolled_out_at_once_and_all_else_stays() -> None:
    aws = account(cache=True, jobs=False)
    assert switch(aws, PROFILE, "cache", on=False)
    newest = aws.appconfig.versions[-1]
    assert newest["values"] == {"cache": {"enabled": False, "note": "kept"}, "jobs": {"enabled": False, "note": "kept"}}
    assert newest["flags"] == aws.appconfig.versions[0]["flags"]
    (deployment,) = aws.appconfig.deployed
    assert (deployment["ConfigurationVersion"], deployment["DeploymentStrategyId"]) == ("2", "at-once")


def test_switching_twice_does_nothing_the_second_time() -> None:
    aws = account(cache=False)
    assert not switch(aws, PROFILE, "cache", on=False)
    assert not aws.appconfig.deployed


def test_what_is_switched_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["switch", "off"]) == 2
    assert f"give one of {', '.join(FLAGS)}" in capsys.readouterr().err


def test_a_front_door_without_switches_is_an_error_with_the_way_out() -> None:
    with pytest.raises(OperatorError) as caught:
        profile_of(FrontDoor("https://x/", "iam", {}), ENDPOINT)
    assert "switches: true" in caught.value.hint


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return what runs a command line where a front door has no cache and no jobs, though both can be switched."""
    described = {
        "url": "https://x/",
        "auth": "iam",
        "switches": {**PLACES, "configured": ["front-door", "routing"]},
    }
    parameters = {
        "/tidegate/local/endpoints": json.dumps(SETTINGS),
        "/tidegate/local/front-door/rain-local": json.dumps(described),
    }
    pages = SimpleNamespace(
        paginate=lambda Path: [{"Parameters": [{"Value": value}]} for name, value in parameters.items() if Path == name]
    )
    aws = account(cache=False)
    aws.ssm = SimpleNamespace(
        meta=SimpleNamespace(endpoint_url="https://ssm"),
        get_paginator=lambda _: pages,
        get_parameter=lambda Name: {"Parameter": {"Value": parameters[Name]}},
    )
    monkeypatch.setattr(surroundings, "open_environment", lambda _: aws)
    return lambda *argv: cli.main(["switch", *argv])


def test_what_is_not_configured_is_marked(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    assert capsys.readouterr().out.splitlines() == [
        "on   front-door",
        "off  cache (not configured)",
        "on   routing",
        "on   jobs (not configured)",
    ]


def test_what_is_not_configured_is_named_in_json(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-o", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "front-door": True,
        "cache": False,
        "routing": True,
        "jobs": True,
        "not_configured": ["cache", "jobs"],
    }


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("off", "routing"), "routing is off for all callers within 15 s"),
        (("off", "jobs"), "jobs is off for all callers within 15 s; nothing is configured behind it now"),
        (("off", "cache"), "cache was off already; nothing is configured behind it now"),
    ],
)
def test_switching_says_where_nothing_is_configured(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], said: str
) -> None:
    assert run(*argv) == 0
    assert capsys.readouterr().out == f"{said}\n"


def test_switching_says_so_in_json(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("off", "jobs", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out) == {"flag": "jobs", "on": False, "changed": True, "configured": False}
