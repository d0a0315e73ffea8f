"""Recordings from CloudWatch."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.tidegate.rehearsal.metrics import CloudWatch, Values
from tidegate.aws import Aws
from tidegate.errors import OperatorError
from tidegate.rehearsal.cloudwatch import record

NOW = 1_767_600_090.0


VALUES: Values = {
    ("green", "Invocations", "Sum"): [570.0, 560.0],
    ("blue", "Invocations", "Sum"): [30.0],
    ("green", "Invocation5XXErrors", "Sum"): [3.0, 4.0],
    ("green", "ModelLatency", "p99"): [80_000.0],
    ("green", "ModelLatency", "TC(80000:)"): [6.0, 5.0],
    ("blue", "ModelLatency", "TC(80000:)"): [2.0],
    ("blue", "ModelLatency", "TC(50000:)"): [9.0],
}


def aws(values: Values = VALUES, status: str = "Complete") -> tuple[Aws, CloudWatch]:
    cloudwatch = CloudWatch(values, status)
    return Aws(lambda service: {"cloudwatch": cloudwatch}[service]), cloudwatch


def test_the_slot_with_more_requests_is_the_live_one() -> None:
    account, cloudwatch = aws()
    found = record(account, "rain-prod", hours=1, now=NOW)
    first, second = found.periods
    assert (first.live.requests, first.live.errors, first.live.slow) == (570, 3, 6)
    assert (first.new.requests, first.new.errors, first.new.slow) == (30, 0, 2)
    assert second.new.requests == 0
    assert "green as the live version, slow above 80 ms" in found.source
    # Whole minutes, and not the latest, which is still counted.
    assert cloudwatch.asked[0]["EndTime"].timestamp() == 1_767_600_000.0
    assert cloudwatch.asked[0]["StartTime"].timestamp() == 1_767_600_000.0 - 3600


def test_what_is_said_is_taken() -> None:
    account, _ = aws()
    found = record(account, "rain-prod", hours=1, now=NOW, live_slot="blue", slow_ms=50.0)
    assert (found.periods[0].live.requests, found.periods[0].live.slow) == (30, 9)
    assert found.periods[0].new.requests == 570


def test_without_latency_nothing_is_slow() -> None:
    account, _ = aws({key: values for key, values in VALUES.items() if key[1] != "ModelLatency"})
    assert not record(account, "rain-prod", hours=1, now=NOW).has_slow


def test_a_page_may_say_that_more_will_come() -> None:
    account, cloudwatch = aws()
    give = cloudwatch.get_metric_data

    def partly(**request: Any) -> dict[str, Any]:
        page = give(**request)
        if "NextToken" in page:
            page["MetricDataResults"] = [each | {"StatusCode": "PartialData"} for each in page["MetricDataResults"]]
        return page

    cloudwatch.get_metric_data = partly  # type: ignore[method-assign]
    assert len(record(account, "rain-prod", hours=1, now=NOW).periods) == 2


def test_no_requests() -> None:
    account, _ = aws({})
    with pytest.raises(OperatorError, match="no requests of slot blue in the last 2 hours"):
        record(account, "rain-prod", hours=2, now=NOW)


def test_what_cloudwatch_does_not_give_is_not_taken_for_nothing() -> None:
    account, _ = aws(status="InternalError")
    with pytest.raises(OperatorError, match="did not give all of Invocations of slot blue: InternalError"):
        record(account, "rain-prod", hours=1, now=NOW)
