"""GetMetricData as a judge of two variants asks it, and what CloudWatch refuses or cuts into pages."""

from typing import Any

import pytest

from localcloud.errors import AwsError
from localcloud.physics.cloudwatch import store

LATENCIES = {"blue": range(1, 101), "green": range(101, 201)}


def _stat(variant: str, metric: str, stat: str, period: int = 10) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": "rain"}, {"Name": "VariantName", "Value": variant}]
    found = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}
    return {"Metric": found, "Period": period, "Stat": stat}


def _ask(world: Any, start: float, end: float, queries: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = world.call(
        "GetMetricData",
        StartTime=start,
        EndTime=end,
        MetricDataQueries=queries,
        **{"ScanBy": "TimestampAscending", **more},
    )
    return answer


def _put(world: Any, variant: str, metric: str, value: float, at: float, count: float = 1) -> None:
    dimensions = {"EndpointName": "rain", "VariantName": variant}
    world.metrics.put("AWS/SageMaker", metric, dimensions, value, "None", at, count)


def test_one_call_compares_two_variants_in_every_statistic(world: Any) -> None:
    start = world.clock.now()
    for variant, values in LATENCIES.items():
        for value in values:
            _put(world, variant, "ModelLatency", value * 1000.0, start + 10)
            _put(world, variant, "Invocations", 1.0, start + 10)
            _put(world, variant, "Invocation5XXErrors", float(value % 50 == 0), start + 10)
    asked = {
        "requests": ("Invocations", "Sum"),
        "errors": ("Invocation5XXErrors", "Sum"),
        "average": ("ModelLatency", "Average"),
        "p99": ("ModelLatency", "p99"),
        "count": ("ModelLatency", "SampleCount"),
    }
    queries = [
        {"Id": f"{variant}_{name}", "MetricStat": _stat(variant, *metric)}
        for variant in LATENCIES
        for name, metric in asked.items()
    ]
    answer = _ask(world, start, start + 30, queries)
    found = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    assert found == {
        "blue_requests": [100.0],
        "blue_errors": [2.0],
        "blue_average": [50_500.0],
        "blue_p99": [99_000.0],
        "blue_count": [100.0],
        "green_requests": [100.0],
        "green_errors": [2.0],
        "green_average": [150_500.0],
        "green_p99": [199_000.0],
        "green_count": [100.0],
    }
    assert "NextToken" not in answer


def test_pages_hold_as_many_data_points_as_are_asked_for(world: Any) -> None:
    start = world.clock.now()
    for variant in LATENCIES:
        for second in (0, 10, 20):
            _put(world, variant, "Invocations", 1.0, start + second, count=second + 1)
    queries = [{"Id": variant, "MetricStat": _stat(variant, "Invocations", "Sum")} for variant in LATENCIES]
    first = _ask(world, start, start + 30, queries, MaxDatapoints=4)
    shown = [(result["Id"], result["Values"], result["StatusCode"]) for result in first["MetricDataResults"]]
    assert shown == [("blue", [1.0, 11.0, 21.0], "Complete"), ("green", [1.0], "PartialData")]
    second = _ask(world, start, start + 30, queries, MaxDatapoints=4, NextToken=first["NextToken"])
    shown = [(result["Id"], result["Values"], result["StatusCode"]) for result in second["MetricDataResults"]]
    assert shown == [("blue", [], "Complete"), ("green", [11.0, 21.0], "Complete")]
    assert [moment.timestamp() - start for moment in second["MetricDataResults"][1]["Timestamps"]] == [10, 20]
    assert "NextToken" not in second
    with pytest.raises(AwsError, match="next token"):
        _ask(world, start, start + 30, queries, NextToken="mine")


def _query(**more: Any) -> dict[str, Any]:
    return {"Id": "q", "MetricStat": _stat("blue", "Invocations", "Sum"), **more}


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ([_query(Id=f"q{number}") for number in range(501)], "must not have a size greater than 500"),
        ([_query(), _query()], "id in MetricDataQueries are not unique"),
        ([_query(Id="Blue")], "The value Blue for parameter MetricDataQueries.member.1.Id"),
        ([_query(Id="blue-1")], "is not matching the expected"),
        ([{"Id": "q"}], "must have either MetricStat or Expression"),
        ([_query(Expression="q")], "must have either MetricStat or Expression"),
        ([_query(MetricStat=_stat("blue", "Invocations", "Sum", period=15))], "Period is 15"),
    ],
)
def test_queries_that_cloudwatch_refuses_are_refused(world: Any, queries: list[dict[str, Any]], message: str) -> None:
    now = world.clock.now()
    with pytest.raises(AwsError, match=message) as refusal:
        _ask(world, now - 60, now, queries)
    assert refusal.value.code == "ValidationError"


def test_time_must_run_forwards(world: Any) -> None:
    now = world.clock.now()
    with pytest.raises(AwsError, match="StartTime must be less than the parameter EndTime"):
        _ask(world, now, now, [_query()])


def test_after_three_hours_only_minutes_are_known_and_after_fifteen_days_nothing(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide: periods below 60 s are available for 3 hours, those of 60 s for 15 days."""
    monkeypatch.setattr(store, "_PUTS_BETWEEN_CLEANINGS", 1)
    start = world.clock.now()
    for second in (0, 10, 60):
        _put(world, "blue", "Invocations", 1.0, start + second)

    def sums(period: int) -> list[float]:
        _put(world, "blue", "Invocations", 1.0, world.clock.now())
        query = {"Id": "q", "MetricStat": _stat("blue", "Invocations", "Sum", period)}
        values: list[float] = _ask(world, start, start + 120, [query])["MetricDataResults"][0]["Values"]
        return values

    world.clock.advance(3 * 3600 - 1)
    assert (sums(10), sums(60)) == ([1.0, 1.0, 1.0], [2.0, 1.0])
    world.clock.advance(300)
    assert (sums(10), sums(60)) == ([], [2.0, 1.0])
    world.clock.advance(15 * 24 * 3600)
    assert sums(60) == []
