"""MetricDataQueries, evaluated over a window."""

from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.errors import AwsError
from localcloud.physics.cloudwatch.expressions import Scope, parse
from localcloud.physics.cloudwatch.functions import Series, Window
from localcloud.physics.cloudwatch.samples import statistic
from localcloud.physics.cloudwatch.store import MetricKey, MetricStore

Query = Mapping[str, Any]


def metric_key(metric: Mapping[str, Any]) -> MetricKey:
    """Return the key of a ``Metric`` as requests describe it."""
    dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
    return MetricKey.of(metric["Namespace"], metric["MetricName"], dimensions)


def period_of(queries: Sequence[Query]) -> float:
    """Return the period that the queries share.

    Raises
    ------
    AwsError
        If they do not, or there is none.
    """
    periods = {float(query["MetricStat"]["Period"]) for query in queries if query.get("MetricStat")}
    periods |= {float(query["Period"]) for query in queries if query.get("Expression") and query.get("Period")}
    if len(periods) != 1:
        raise AwsError("ValidationError", "Metrics list must contain at least one metric, and all with one Period")
    return periods.pop()


def read_metric(store: MetricStore, stat: Mapping[str, Any], window: Window) -> Series:
    """Return a ``MetricStat`` period by period; asked in another unit than the metric's, there is no data."""
    key = metric_key(stat["Metric"])
    found: Series = {}
    if stat.get("Unit") not in (None, store.unit(key)):
        return found
    for at in window.timeline():
        value = statistic(store.between(key, at, at + window.period), stat["Stat"])
        if value is not None:
            found[at] = value
    return found


class Evaluation:
    """One evaluation of a list of queries that may refer to each other.

    Parameters
    ----------
    store
        Where metrics are read from.
    queries
        The whole list, including those that are not returned.
    window
        The periods to evaluate.
    """

    def __init__(self, store: MetricStore, queries: Sequence[Query], window: Window) -> None:
        self._store = store
        self._queries = {query["Id"]: query for query in queries}
        self._window = window
        self._done: dict[str, Series] = {}
        self._under_way: set[str] = set()

    def result(self, query_id: str) -> Series:
        """Return the series of the query `query_id`."""
        if query_id not in self._done:
            self._done[query_id] = self._evaluate(query_id)
        return self._done[query_id]

    def _evaluate(self, query_id: str) -> Series:
        query = self._queries.get(query_id)
        if query is None or query_id in self._under_way:
            raise AwsError("ValidationError", f"Unresolved reference '{query_id}' in a metric math expression")
        if query.get("MetricStat"):
            return read_metric(self._store, query["MetricStat"], self._window)
        self._under_way.add(query_id)
        value = parse(query["Expression"])(Scope(self._window, self.result, self._metrics))
        self._under_way.discard(query_id)
        return self._as_series(query_id, value)

    def _as_series(self, query_id: str, value: Any) -> Series:
        if value is None:
            return {}
        if isinstance(value, (int, float)):
            return dict.fromkeys(self._window.timeline(), float(value))
        if isinstance(value, dict):
            return value
        raise AwsError("ValidationError", f"The expression '{query_id}' does not give a single time series")

    def _metrics(self) -> list[Series]:
        return [self.result(name) for name, query in self._queries.items() if query.get("MetricStat")]
