"""Every endpoint of an environment, a line each."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from lambdas.rollout.state import Phase
from tests.unit.tidegate.states import FREEZE, IDLE, rolling
from tidegate.commands.context import Environment
from tidegate.commands.listing import list_endpoints
from tidegate.settings import deployed_endpoints

List = Callable[..., tuple[int, str]]


@pytest.fixture
def listed(account: Any) -> List:
    """Return what lists the environment and returns status and output; hail is frozen, rain waits for approval."""
    account.deploy("hail-local")
    account.record(replace(IDLE, name="hail-local", frozen=FREEZE))
    account.record(rolling(phase=Phase.APPROVE, step=2))
    described = {}
    account.serve("rain-local-mixed", {"blue": 50.0, "green": 50.0}, {})
    described["rain-local"] = account.sagemaker.endpoint
    account.serve(IDLE.live.config, {"blue": 100.0}, {})
    described["hail-local"] = account.sagemaker.endpoint | {"EndpointName": "hail-local"}
    describe = account.sagemaker.describe_endpoint

    def describe_endpoint(*, EndpointName: str) -> Any:
        account.sagemaker.endpoint = described.get(EndpointName)
        return describe(EndpointName=EndpointName)

    account.sagemaker.describe_endpoint = describe_endpoint

    def run(json: bool = False, *, gone: str = "") -> tuple[int, str]:
        described.pop(gone, None)
        out = io.StringIO()
        endpoints = tuple(deployed_endpoints(account.aws, "local").values())
        console = Console(file=out, width=200)
        status = list_endpoints(Environment(account.aws, tuple(sorted(endpoints, key=lambda e: e.name)), console, json))
        return status, out.getvalue()

    return run


def test_a_line_for_each(listed: List) -> None:
    status, shown = listed()
    assert status == 0
    _, hail, rain = [" ".join(line.split()) for line in shown.splitlines()]
    assert hail == "hail-local InService 1.1.0 blue 100 by alice"
    assert rain == (
        "rain-local InService 1.1.0 1.2.0 APPROVE 3/4 blue 50 green 50 "
        "somebody to approve this step (approve --step), or to abort"
    )


def test_as_json(listed: List) -> None:
    hail, rain = json.loads(listed(json=True)[1])
    assert (hail["live_version"], hail["rollout"], hail["frozen"]["by"]) == ("1.1.0", None, "alice")
    assert (rain["new_version"], rain["phase"], rain["step"], rain["steps"]) == ("1.2.0", "APPROVE", 3, 4)
    assert rain["weights"] == {"blue": 50.0, "green": 50.0}
    assert set(hail) == set(rain)


def test_an_endpoint_that_is_gone_does_not_hide_the_others(listed: List) -> None:
    status, shown = listed(json=True, gone="hail-local")
    hail, rain = json.loads(shown)
    assert status == 1
    assert "there is no endpoint 'hail-local'" in hail["error"]
    assert set(hail) == set(rain)
    assert rain["error"] is None
    assert "there is no endpoint" in listed()[1]


def test_no_alarm_is_asked_for(listed: List, account: Any) -> None:
    account.cloudwatch.describe_alarms = None
    assert listed()[0] == 0
