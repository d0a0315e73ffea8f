"""CloudWatch's counts of a variant's answers."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from lambdas.contract import SLOTS
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.comparison import Totals
from lambdas.rollout.errors import RetryableError
from lambdas.rollout.evidence import Answered, Evidence, Period

_MILLISECOND = 1000.0
"""ModelLatency is in microseconds."""

_HIGH_RESOLUTION = 3 * 3600 - 300
"""Seconds for which CloudWatch keeps periods below a minute, less a margin."""

_DAY = 24 * 3600
_COMPLETE = "Complete"
_Series = dict[datetime, float]


class CloudWatchMetrics:
    """Implements `lambdas.rollout.ports.Metrics`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("cloudwatch")

    def answered(
        self, name: str, slot: str, asked: Evidence, since: float, now: float, *, p99: bool = False
    ) -> Answered:
        """Count a slot's answers in the whole periods between two times; `p99` asks for the latency's as well."""
        start, end = asked.span(since, now)
        wanted = {"requests": _REQUESTS, "errors": _ERRORS, **({"p99": ("ModelLatency", "p99")} if p99 else {})}
        # At most an hour of 10 s periods, three times: one page.
        shown = self._read(name, {slot: wanted}, asked.period_seconds, start, end)
        errors, slowest = shown[slot, "errors"], shown.get((slot, "p99"), {})
        return Answered(
            tuple(
                Period(
                    at.timestamp(),
                    int(count),
                    int(errors.get(at, 0)),
                    slowest[at] / _MILLISECOND if at in slowest else None,
                )
                for at, count in sorted(shown[slot, "requests"].items())
            )
        )

    def totals(self, name: str, asked: Evidence, since: float, now: float) -> Mapping[str, Totals]:
        """Add up both slots' answers in the whole periods between two times."""
        period = _period(asked, now - since)
        start, end = -(-since // period) * period, now // period * period
        wanted = {"requests": _REQUESTS, "errors": _ERRORS, "latency": ("ModelLatency", "Sum")}
        shown = self._read(name, dict.fromkeys(SLOTS, wanted), period, start, end)
        return {slot: _totals(shown, slot) for slot in SLOTS}

    def _read(
        self, name: str, wanted: Mapping[str, Mapping[str, tuple[str, str]]], period: int, start: float, end: float
    ) -> dict[tuple[str, str], _Series]:
        """Return the data points of every series; those of a slot without requests are empty."""
        series = {(slot, each): metric for slot, metrics in wanted.items() for each, metric in metrics.items()}
        found: dict[tuple[str, str], _Series] = {key: {} for key in series}
        if start >= end:
            return found
        queries = [_query(f"{slot}_{each}", name, slot, metric, period) for (slot, each), metric in series.items()]
        incomplete: dict[str, str] = {}
        for result in self._results(queries, start, end):
            slot, _, each = result["Id"].partition("_")
            found[slot, each] |= dict(zip(result["Timestamps"], result["Values"], strict=True))
            incomplete[result["Id"]] = result.get("StatusCode", _COMPLETE)
        if failed := {name: status for name, status in incomplete.items() if status != _COMPLETE}:
            # What is missing must never count as no errors.
            raise RetryableError(f"CloudWatch has not given all of the metrics: {failed}")
        return found

    def _results(self, queries: list[dict[str, Any]], start: float, end: float) -> Iterator[dict[str, Any]]:
        more: dict[str, str] = {}
        while True:
            with translated():
                page = self._client().get_metric_data(
                    MetricDataQueries=queries, StartTime=_moment(start), EndTime=_moment(end), **more
                )
            yield from page["MetricDataResults"]
            if "NextToken" not in page:
                return
            more = {"NextToken": page["NextToken"]}


_REQUESTS, _ERRORS = ("Invocations", "Sum"), ("Invocation5XXErrors", "Sum")


def _totals(shown: Mapping[tuple[str, str], _Series], slot: str) -> Totals:
    def total(each: str) -> float:
        return sum(shown[slot, each].values())

    return Totals(int(total("requests")), int(total("errors")), total("latency") / _MILLISECOND)


def _period(asked: Evidence, span: float) -> int:
    """Return a period that CloudWatch still keeps over the span, and of which one page holds all."""
    if span < _HIGH_RESOLUTION:
        return asked.period_seconds
    return max(asked.period_seconds, 60) if span < _DAY else 3600


def _query(identity: str, name: str, slot: str, metric: tuple[str, str], period: int) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": slot}]
    series = {"Namespace": "AWS/SageMaker", "MetricName": metric[0], "Dimensions": dimensions}
    return {"Id": identity, "MetricStat": {"Metric": series, "Period": period, "Stat": metric[1]}}


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
