"""Metrics of what was found."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lambdas.contract import METRIC_NAMESPACE
from lambdas.monitoring.adapters.clients import lazy
from lambdas.monitoring.ports import Datum
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated

MOST_A_CALL = 500
"""PutMetricData takes 1,000 values and one megabyte."""


class CloudWatchMetrics:
    """Implements `lambdas.monitoring.ports.Metrics`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or lazy("cloudwatch")

    def put(self, endpoint: str, at: float, data: Sequence[Datum]) -> None:
        """Send values of a time."""
        moment = datetime.fromtimestamp(at, UTC)
        for start in range(0, len(data), MOST_A_CALL):
            values = [_datum(endpoint, moment, each) for each in data[start : start + MOST_A_CALL]]
            with translated():
                self._client().put_metric_data(Namespace=METRIC_NAMESPACE, MetricData=values)


def _datum(endpoint: str, at: datetime, datum: Datum) -> dict[str, Any]:
    dimensions = [{"Name": "Endpoint", "Value": endpoint}]
    if datum.feature:
        dimensions.append({"Name": "Feature", "Value": _dimension(datum.feature)})
    return {
        "MetricName": datum.name,
        "Dimensions": dimensions,
        "Timestamp": at,
        "Value": datum.value,
        "Unit": datum.unit,
    }


def _dimension(name: str) -> str:
    """Return a column's name as CloudWatch takes values of dimensions: printable ASCII, not beginning with a colon."""
    plain = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in name).strip()
    return plain.lstrip(":")[:255] or "?"
