"""The function's handler: what a person must put right is a fault, and what may go well later fails the invocation."""

from typing import Any

import pytest

from lambdas.monitoring.errors import PermanentError, RetryableError
from lambdas.monitoring.handlers import monitor as handlers


class Context:
    aws_request_id = "1"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch, world: Any) -> list[list[str]]:
    told: list[list[str]] = []
    monkeypatch.setattr(handlers, "report", lambda given: told.append([fault.reason for fault in given]))
    monkeypatch.setattr(handlers, "real_ports", lambda seconds: world.ports)
    return told


def test_an_endpoint_is_looked_at_and_its_report_written(world: Any, fakes: Any, faults: list[list[str]]) -> None:
    world.traffic(5, 1000, shift=12.0)
    world.clock.time = fakes.START + 130
    handlers.handler({"endpoint": fakes.ENDPOINT}, Context())
    page = world.files.held["monitoring/rain-test/20261122T030000Z/report.html"][0].decode()
    assert "pressure" in page
    assert faults == [[]]


def test_faults_are_told_and_what_may_pass_is_tried_again(
    world: Any, fakes: Any, faults: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(endpoint: str) -> Any:
        raise PermanentError("not authorised")

    monkeypatch.setattr(world.settings, "load", refused)
    handlers.handler({"endpoint": fakes.ENDPOINT}, Context())
    assert faults == [["not authorised"]]

    def throttled(endpoint: str) -> Any:
        raise RetryableError("later")

    monkeypatch.setattr(world.settings, "load", throttled)
    with pytest.raises(RetryableError):
        handlers.handler({"endpoint": fakes.ENDPOINT}, Context())
