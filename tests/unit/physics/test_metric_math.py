import re
from typing import Any

import pytest

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.cloudwatch.expressions import Scope, parse
from localcloud.physics.cloudwatch.functions import Series, Window
from localcloud.physics.cloudwatch.samples import Samples, StatisticSet, statistic

WINDOW = Window(0.0, 4, 10.0)
METRICS: dict[str, Series] = {
    "errors": {0.0: 1.0, 10.0: 2.0, 30.0: 0.0},
    "invocations": {0.0: 10.0, 10.0: 40.0, 20.0: 50.0, 30.0: 0.0},
    "none": {},
}


def _evaluate(text: str) -> Any:
    return parse(text)(Scope(WINDOW, METRICS.__getitem__, lambda: list(METRICS.values())))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 ^ 2", 19.0),
        ("-(2 - 5) % 2", 1.0),
        ("errors + invocations", {0.0: 11.0, 10.0: 42.0, 30.0: 0.0}),
        ("100 * errors / invocations", {0.0: 10.0, 10.0: 5.0}),
        ("invocations >= 40", {0.0: 0.0, 10.0: 1.0, 20.0: 1.0, 30.0: 0.0}),
        ("invocations >= 40 AND errors > 1", {0.0: 0.0, 10.0: 1.0, 30.0: 0.0}),
        ("IF(invocations >= 40, 100 * errors / invocations)", {10.0: 5.0}),
        ("IF(invocations >= 40, errors, -1)", {0.0: -1.0, 10.0: 2.0, 30.0: -1.0}),
        ("IF(invocations, 7)", {0.0: 7.0, 10.0: 7.0, 20.0: 7.0}),
        ("IF(none > 1, errors, 5)", {}),
        ("FILL(errors, 0)", {0.0: 1.0, 10.0: 2.0, 20.0: 0.0, 30.0: 0.0}),
        ("FILL(errors, REPEAT)", {0.0: 1.0, 10.0: 2.0, 20.0: 2.0, 30.0: 0.0}),
        ("FILL(none, 3)", {0.0: 3.0, 10.0: 3.0, 20.0: 3.0, 30.0: 3.0}),
        ("SUM([errors, invocations])", {0.0: 11.0, 10.0: 42.0, 20.0: 50.0, 30.0: 0.0}),
        ("MAX(errors)", dict.fromkeys((0.0, 10.0, 20.0, 30.0), 2.0)),
        ("errors / PERIOD(errors)", {0.0: 0.1, 10.0: 0.2, 30.0: 0.0}),
    ],
)
def test_expression_gives(text: str, expected: Any) -> None:
    assert _evaluate(text) == expected


@pytest.mark.parametrize("text", ["1 +", "(1", "errors errors", "ANOMALY_DETECTION_BAND(errors)", "a ? b"])
def test_what_cannot_be_understood_is_an_error(text: str) -> None:
    with pytest.raises(AwsError):
        _evaluate(text)


def test_percentile_is_an_exact_sample_and_needs_samples() -> None:
    samples = Samples()
    for value in range(1, 101):
        samples.add(float(value), 1)
    assert [statistic(samples, name) for name in ("p50", "p99", "p99.9", "p0")] == [50.0, 99.0, 100.0, 1.0]
    samples.sets.append(StatisticSet(2, 10, 1, 9))
    assert statistic(samples, "p99") is None
    assert (statistic(samples, "SampleCount"), statistic(samples, "Maximum")) == (102.0, 100.0)
    assert statistic(Samples(), "Sum") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TC(10:20)", 10.0),  # 11 to 20: the lower bound is exclusive, the upper one is not
        ("TC(:20)", 20.0),
        ("TC(99.5:)", 1.0),
        ("TC(100:)", 0.0),
        ("TC(0.5:1)", 1.0),
        ("PR(:30)", 30.0),
        ("PR(90:95)", 5.0),
        ("PR(100:)", 0.0),
        ("TM(98:)", 99.5),
        ("TM(100:)", None),
        ("TS(98:)", 199.0),
    ],
)
def test_statistics_between_bounds(name: str, expected: float | None) -> None:
    samples = Samples()
    for value in range(1, 101):
        samples.add(float(value), 1)
    assert statistic(samples, name) == expected


def test_statistics_between_bounds_weigh_samples_and_need_single_values() -> None:
    samples = Samples()
    samples.add(5.0, 3)
    samples.sets.append(StatisticSet(2, 20, 10, 10))
    assert [statistic(samples, name) for name in ("TC(5:)", "PR(5:)", "TM(:10)")] == [2.0, 40.0, 7.0]
    samples.sets.append(StatisticSet(2, 10, 1, 9))
    assert [statistic(samples, name) for name in ("TC(5:)", "PR(5:)")] == [None, None]
    assert statistic(Samples(), "TC(5:)") is None


@pytest.mark.parametrize("name", ["TC(:)", "TC(10%:90%)", "tc90", "PR(-1:5)", "WM(1:2)", "IQM", "TC(1:2", "p101"])
def test_other_statistics_are_errors_that_name_them(name: str) -> None:
    samples = Samples()
    samples.add(1.0, 1)
    with pytest.raises(NotSimulatedError, match=re.escape(name)):
        statistic(samples, name)


def test_get_metric_data_evaluates_expressions_over_hidden_metrics(world: Any) -> None:
    start = world.clock.now()
    for second in range(20):
        world.metrics.put("N", "Latency", {"V": "blue"}, 100.0 + second, timestamp=start + second)
    stat = {"Metric": {"Namespace": "N", "MetricName": "Latency", "Dimensions": [{"Name": "V", "Value": "blue"}]}}
    answer = world.call(
        "GetMetricData",
        StartTime=start,
        EndTime=start + 30,
        ScanBy="TimestampAscending",
        MetricDataQueries=[
            {"Id": "p", "MetricStat": {**stat, "Period": 10, "Stat": "p90"}, "ReturnData": False},
            {"Id": "n", "MetricStat": {**stat, "Period": 10, "Stat": "SampleCount"}},
            {"Id": "e", "Expression": "IF(n >= 10, p / 100)", "Label": "share"},
        ],
    )
    count, share = answer["MetricDataResults"]
    assert (count["Id"], count["Values"]) == ("n", [10.0, 10.0])
    assert (share["Label"], share["Values"]) == ("share", [1.08, 1.18])
    assert [moment.timestamp() for moment in share["Timestamps"]] == [start, start + 10]


def test_put_metric_data_knows_seconds_only_at_high_resolution(world: Any) -> None:
    start = world.clock.now()
    datum = {"Dimensions": [], "Timestamp": start + 45, "Values": [1.0, 2.0], "Counts": [3.0, 1.0]}
    world.call(
        "PutMetricData",
        Namespace="N",
        MetricData=[{**datum, "MetricName": "coarse"}, {**datum, "MetricName": "fine", "StorageResolution": 1}],
    )
    keys = {key.name: key for key in world.metrics.metrics()}
    assert statistic(world.metrics.between(keys["coarse"], start, start + 1), "Sum") == 5.0
    assert statistic(world.metrics.between(keys["fine"], start + 45, start + 46), "SampleCount") == 4.0
    assert [m["MetricName"] for m in world.call("ListMetrics", Namespace="N")["Metrics"]] == ["coarse", "fine"]
