"""CloudWatch's operations on metrics."""

from collections.abc import Mapping
from typing import Any

from localcloud.clock import Clock
from localcloud.errors import AwsError
from localcloud.physics.cloudwatch.functions import Window
from localcloud.physics.cloudwatch.metric_data import check_request, paged
from localcloud.physics.cloudwatch.queries import Evaluation, Query, metric_key, period_of
from localcloud.physics.cloudwatch.samples import StatisticSet, statistic
from localcloud.physics.cloudwatch.store import MetricKey, MetricStore
from localcloud.physics.paging import page
from localcloud.physics.times import to_datetime, to_epoch
from localcloud.service import operation

_MOST_DATAPOINTS = 1440
_METRICS_A_PAGE = 500


class MetricOperations:
    """PutMetricData and the ways of reading metrics."""

    def __init__(self, clock: Clock, store: MetricStore) -> None:
        self._clock = clock
        self._store = store

    @operation("PutMetricData")
    def put_metric_data(self, request: Mapping[str, Any]) -> None:
        """Record samples."""
        for datum in [*(request.get("MetricData") or []), *_entity_data(request)]:
            self._put(request["Namespace"], datum)

    def _put(self, namespace: str, datum: Mapping[str, Any]) -> None:
        at = to_epoch(datum["Timestamp"]) if datum.get("Timestamp") else self._clock.now()
        if datum.get("StorageResolution") != 1:
            at = at // 60 * 60  # a standard-resolution metric knows nothing below the minute
        dimensions = {item["Name"]: item["Value"] for item in datum.get("Dimensions") or []}
        name, unit = datum["MetricName"], datum.get("Unit") or "None"
        if datum.get("StatisticValues"):
            given = datum["StatisticValues"]
            values = StatisticSet(given["SampleCount"], given["Sum"], given["Minimum"], given["Maximum"])
            self._store.put_set(namespace, name, dimensions, values, unit, at)
            return
        for value, count in _weighted(datum):
            self._store.put(namespace, name, dimensions, value, unit, at, count)

    @operation("GetMetricData")
    def get_metric_data(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Read metrics and expressions over them."""
        check_request(request)
        asked = [query for query in request["MetricDataQueries"] if query.get("ReturnData") is not False]
        return paged([self._result(query, request) for query in asked], request)

    def _result(self, query: Query, request: Mapping[str, Any]) -> dict[str, Any]:
        queries = request["MetricDataQueries"]
        period = period_of([query] if query.get("MetricStat") else queries)
        window = _window(request["StartTime"], request["EndTime"], period)
        series = Evaluation(self._store, queries, window).result(query["Id"])
        order = sorted(series, reverse=request.get("ScanBy") != "TimestampAscending")
        return {
            "Id": query["Id"],
            "Label": query.get("Label") or _label(query),
            "Timestamps": [to_datetime(at) for at in order],
            "Values": [series[at] for at in order],
        }

    @operation("GetMetricStatistics")
    def get_metric_statistics(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Read statistics of one metric."""
        window = _window(request["StartTime"], request["EndTime"], float(request["Period"]))
        if window.periods > _MOST_DATAPOINTS:
            raise AwsError(
                "InvalidParameterCombination",
                f"You have requested up to {window.periods} datapoints, which exceeds the limit of {_MOST_DATAPOINTS}. "
                "You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
            )
        key = metric_key(request)
        points = [self._datapoint(key, at, window, request) for at in window.timeline()]
        return {"Label": request["MetricName"], "Datapoints": [point for point in points if point]}

    def _datapoint(self, key: MetricKey, at: float, window: Window, request: Mapping[str, Any]) -> dict[str, Any]:
        samples = self._store.between(key, at, at + window.period)
        if not samples:
            return {}
        plain = {name: statistic(samples, name) for name in request.get("Statistics") or []}
        extended = {name: statistic(samples, name) for name in request.get("ExtendedStatistics") or []}
        point: dict[str, Any] = {"Timestamp": to_datetime(at), "Unit": self._store.unit(key), **plain}
        return {**point, "ExtendedStatistics": extended} if extended else point

    @operation("ListMetrics")
    def list_metrics(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """List the metrics that fit namespace, name and dimensions."""
        found = [key for key in self._store.metrics() if _fits(key, request)]
        chosen, token = page(found, request.get("NextToken"), _METRICS_A_PAGE)
        answer: dict[str, Any] = {"Metrics": [_metric(key) for key in chosen]}
        return {**answer, "NextToken": token} if token else answer


def _entity_data(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [datum for entity in request.get("EntityMetricData") or [] for datum in entity.get("MetricData") or []]


def _weighted(datum: Mapping[str, Any]) -> list[tuple[float, float]]:
    if datum.get("Values"):
        values = datum["Values"]
        return list(zip(values, datum.get("Counts") or [1.0] * len(values), strict=True))
    if datum.get("Value") is None:
        raise AwsError("MissingParameter", "Value, Values or StatisticValues must be specified")
    return [(float(datum["Value"]), 1.0)]


def _window(start: Any, end: Any, period: float) -> Window:
    """Return the whole periods between two moments, aligned as CloudWatch aligns them."""
    first = to_epoch(start) // period * period
    return Window(first, max(0, int(-(-(to_epoch(end) - first) // period))), period)


def _label(query: Query) -> str:
    return str(query["MetricStat"]["Metric"]["MetricName"] if query.get("MetricStat") else query["Id"])


def _fits(key: MetricKey, request: Mapping[str, Any]) -> bool:
    wanted = [(item["Name"], item.get("Value")) for item in request.get("Dimensions") or []]
    have = dict(key.dimensions)
    return (
        request.get("Namespace") in (None, key.namespace)
        and request.get("MetricName") in (None, key.name)
        and all(name in have and value in (None, have[name]) for name, value in wanted)
    )


def _metric(key: MetricKey) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in key.dimensions]
    return {"Namespace": key.namespace, "MetricName": key.name, "Dimensions": dimensions}
