"""How CloudWatch is asked for what a judgement is made from."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.metrics import CloudWatchMetrics
from lambdas.rollout.errors import RetryableError
from lambdas.rollout.evidence import Evidence
from lambdas.rollout.judge import Stratum, Tally
from localcloud.clock import VirtualClock
from localcloud.physics.cloudwatch import MetricStore
from localcloud.physics.cloudwatch.service import CloudWatchService
from localcloud.physics.invocation_metrics import Invocation, InvocationMetrics
from localcloud.physics.routing import Route
from localcloud.simulation.cloud import lazy

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
EVIDENCE = Evidence(2, 10, 10, 5.0)
HOUR = 3600


class CloudWatch:
    """Answers with series by the id of their query, and remembers what it was asked."""

    def __init__(self, **series: dict[int, float]) -> None:
        self.series = series
        self.asked: dict[str, Any] = {}
        self.stretches: list[tuple[int, float, float]] = []

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.asked = request
        [period] = {query["MetricStat"]["Period"] for query in request["MetricDataQueries"]}
        start, end = (request[name].timestamp() - NOON.timestamp() for name in ("StartTime", "EndTime"))
        self.stretches.append((period, start, end))
        return {"MetricDataResults": [self._result(query["Id"], start, end) for query in request["MetricDataQueries"]]}

    def _result(self, name: str, start: float, end: float) -> dict[str, Any]:
        points = {second: value for second, value in self.series.get(name, {}).items() if start <= second < end}
        times = [datetime.fromtimestamp(NOON.timestamp() + second, UTC) for second in points]
        return {"Id": name, "Timestamps": times, "Values": list(points.values()), "StatusCode": "Complete"}

    @property
    def stats(self) -> dict[str, tuple[str, str]]:
        found = {query["Id"]: query["MetricStat"] for query in self.asked["MetricDataQueries"]}
        return {name: (each["Metric"]["MetricName"], each["Stat"]) for name, each in found.items()}

    def metrics(self) -> CloudWatchMetrics:
        return CloudWatchMetrics(Lazy("cloudwatch", lambda _: self))


def read(cloudwatch: CloudWatch, since: float, now: float, threshold_ms: float | None = 12.5) -> Any:
    start = NOON.timestamp()
    return cloudwatch.metrics().series("rain", "green", EVIDENCE, start + since, start + now, threshold_ms)


def test_both_versions_are_counted_period_by_period() -> None:
    cloudwatch = CloudWatch(
        green_requests={10: 40.0, 20: 38.0},
        green_errors={10: 0.0, 20: 3.0},
        green_slow={10: 2.0},
        green_fast={10: 38.0, 20: 35.0},
        blue_requests={10: 360.0, 30: 350.0},
        blue_errors={10: 1.0, 30: 0.0},
        blue_slow={30: 5.0},
        blue_fast={10: 360.0, 30: 345.0},
    )
    found = read(cloudwatch, 1, 60)
    at = NOON.timestamp()
    assert found.period_seconds == 10
    assert found.errors == (
        Stratum(at + 10, Tally(0, 40), Tally(1, 360)),
        Stratum(at + 20, Tally(3, 38), Tally(0, 0)),
        Stratum(at + 30, Tally(0, 0), Tally(0, 350)),
    )
    assert found.latency == (
        Stratum(at + 10, Tally(2, 40), Tally(0, 360)),
        Stratum(at + 20, Tally(0, 35), Tally(0, 0)),
        Stratum(at + 30, Tally(0, 0), Tally(5, 350)),
    )
    assert found.threshold_ms == 12.5


def test_slow_ones_are_those_above_the_threshold_in_microseconds() -> None:
    cloudwatch = CloudWatch()
    read(cloudwatch, 1, 60)
    assert cloudwatch.stats["green_fast"] == cloudwatch.stats["blue_fast"] == ("ModelLatency", "TC(:12500)")
    assert cloudwatch.stats["green_slow"] == cloudwatch.stats["blue_slow"] == ("ModelLatency", "TC(12500:)")
    assert cloudwatch.stats["green_requests"] == ("Invocations", "Sum")
    assert cloudwatch.stats["blue_errors"] == ("Invocation5XXErrors", "Sum")


def test_counts_that_cloudwatch_does_not_have_are_unknown_and_not_zero() -> None:
    cloudwatch = CloudWatch(
        green_requests={10: 40.0, 20: 40.0}, blue_requests={10: 360.0}, blue_fast={10: 360.0}, blue_errors={10: 2.0}
    )
    found, at = read(cloudwatch, 1, 60), NOON.timestamp()
    assert found.latency == (Stratum(at + 10, Tally(0, 0), Tally(0, 360)),)
    assert found.errors == (Stratum(at + 10, Tally(0, 0), Tally(2, 360)),)


def test_without_a_threshold_nothing_is_asked_of_latency() -> None:
    cloudwatch = CloudWatch(green_requests={10: 1.0})
    found = read(cloudwatch, 1, 60, None)
    assert (found.latency, found.threshold_ms) == ((), None)
    assert set(cloudwatch.stats) == {"green_requests", "green_errors", "blue_requests", "blue_errors"}


@pytest.mark.parametrize(
    ("since", "now", "stretches"),
    [
        # Whole periods only, of which the last is given as long again to come in.
        (1, 60, [(10, 10, 50)]),
        (0, 59, [(10, 0, 40)]),
        # CloudWatch keeps periods below a minute for three hours.
        (1, 4 * HOUR + 30, [(60, 60, 4 * HOUR - 60)]),
        # The last day is looked at closely, what is older coarsely; nothing is read twice.
        (1, 30 * HOUR, [(300, 300, 6 * HOUR), (60, 6 * HOUR, 30 * HOUR - 60)]),
        (1, 30 * HOUR + 7, [(300, 300, 6 * HOUR + 300), (60, 6 * HOUR + 300, 30 * HOUR - 60)]),
        (1, 150 * HOUR, [(900, 900, 126 * HOUR), (60, 126 * HOUR, 150 * HOUR - 60)]),
    ],
)
def test_only_whole_periods_that_have_come_in_count(
    since: float, now: float, stretches: list[tuple[int, float, float]]
) -> None:
    cloudwatch = CloudWatch()
    read(cloudwatch, since, now)
    assert cloudwatch.stretches == stretches


def test_the_strata_of_all_stretches_follow_one_another() -> None:
    hours = {6 * HOUR - 300: 40.0, 6 * HOUR: 40.0}
    cloudwatch = CloudWatch(green_requests=hours, green_errors=hours, green_slow={}, green_fast=hours)
    found = read(cloudwatch, 1, 30 * HOUR)
    times = [each.at - NOON.timestamp() for each in found.errors]
    assert times == [6 * HOUR - 300, 6 * HOUR]


def test_no_whole_period_is_no_call() -> None:
    cloudwatch = CloudWatch()
    assert read(cloudwatch, 1, 25).errors == ()
    assert not cloudwatch.asked


def test_what_cloudwatch_has_not_given_is_an_error_and_not_zero() -> None:
    cloudwatch = CloudWatch()
    part = {"Id": "green_slow", "Timestamps": [], "Values": [], "StatusCode": "PartialData"}
    cloudwatch.get_metric_data = lambda **_: {"MetricDataResults": [part]}  # type: ignore[method-assign]
    with pytest.raises(RetryableError, match=r"green_slow.*PartialData"):
        read(cloudwatch, 1, 60)


def baseline(requests: dict[int, float], p99: dict[int, float], now: float = 1800.0) -> tuple[Any, CloudWatch]:
    cloudwatch = CloudWatch(blue_requests=requests, blue_p99=p99)
    return cloudwatch.metrics().baseline_p99("rain", "blue", NOON.timestamp() + now), cloudwatch


def test_what_is_slow_is_the_percentile_of_the_fuller_of_two_hours() -> None:
    found, cloudwatch = baseline({-3600: 5000.0, 0: 2000.0}, {-3600: 12_000.0, 0: 99_000.0})
    assert found == 12.0
    assert cloudwatch.stretches == [(3600, -3600, 3600)]
    assert baseline({-3600: 500.0, 0: 2000.0}, {-3600: 12_000.0, 0: 99_000.0})[0] == 99.0


@pytest.mark.parametrize(("requests", "enough"), [(999.0, False), (1000.0, True)])
def test_too_few_requests_have_no_percentile(requests: float, enough: bool) -> None:
    found, _ = baseline({0: requests}, {0: 12_000.0})
    assert (found is not None) == enough


def test_a_slot_that_answered_nothing_has_no_percentile() -> None:
    assert baseline({}, {})[0] is None


def test_cloudwatch_counts_every_answer_as_slow_or_not() -> None:
    clock = VirtualClock()
    store = MetricStore(clock)
    service = CloudWatchService(
        clock, store, account="1", region="us-east-1", emit=lambda *_: None, act=lambda *_: None
    )
    metrics, recorder = CloudWatchMetrics(lazy(service)), InvocationMetrics(clock, store)
    clock.advance(-clock.now() % 3600)
    began = clock.now()
    for number in range(1200):
        slot, seconds = ("green" if number % 10 == 0 else "blue"), 0.001 * (1 + number % 100)
        recorder.record(
            Route("rain", slot, None, 10, None), Invocation(seconds, seconds, server_error=number % 50 == 0)
        )
        clock.advance(0.05)
    threshold = metrics.baseline_p99("rain", "blue", clock.now())
    assert threshold == pytest.approx(99, abs=1)
    found = metrics.series("rain", "green", EVIDENCE, began, clock.now() + 11, 50.0)
    assert [sum(each.new.total for each in some) for some in (found.errors, found.latency)] == [120, 120]
    assert [sum(each.live.total for each in some) for some in (found.errors, found.latency)] == [1080, 1080]
    assert sum(each.new.events for each in found.errors) == 24
    # 51 to 100 ms, of 1 to 100; the new version's are 1, 11, ..., 91.
    assert sum(each.new.events for each in found.latency) == 12 * 5
    assert sum(each.live.events for each in found.latency) == 12 * 45
