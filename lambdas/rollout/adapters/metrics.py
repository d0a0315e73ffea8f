"""CloudWatch's counts of a variant's answers."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from math import lcm
from typing import Any

from lambdas.contract import SLOTS, other_slot
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.comparison import Totals
from lambdas.rollout.errors import RetryableError
from lambdas.rollout.evidence import Answered, Evidence, Period
from lambdas.rollout.judge import Series, Stratum, Tally

_MILLISECOND = 1000.0
"""ModelLatency is in microseconds."""

_HIGH_RESOLUTION = 3 * 3600 - 300
"""Seconds for which CloudWatch keeps periods below a minute, less a margin."""

_HOUR = 3600
_DAY = 24 * _HOUR
_COARSE = 300
"""Period in seconds of what is older than a day, and of thrice that when there is much of it."""

_SETTLED_SECONDS = 60
"""Numbers of a period are taken to have come in after another one like it, or after this long."""

_LEAST_REQUESTS = 1000
"""A 99th percentile of fewer is one of ten requests at the most."""

_COMPLETE = "Complete"
_Points = dict[datetime, float]


class CloudWatchMetrics:
    """Implements `lambdas.rollout.ports.Metrics`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("cloudwatch")

    def answered(
        self, name: str, slot: str, asked: Evidence, since: float, now: float, *, p99: bool = False
    ) -> Answered:
        """Count a slot's answers in the whole periods between two times; `p99` asks for the latency's as well."""
        start, end = asked.span(since, now)
        wanted = {"requests": _REQUESTS, "errors": _ERRORS, **({"p99": _P99} if p99 else {})}
        # At most an hour of 10 s periods, three times: one page.
        shown = self._read(name, {slot: wanted}, asked.period_seconds, start, end)
        errors, slowest = shown[slot, "errors"], shown.get((slot, "p99"), {})
        return Answered(
            tuple(
                Period(
                    at.timestamp(),
                    int(count),
                    int(errors[at]),
                    slowest[at] / _MILLISECOND if at in slowest else None,
                )
                for at, count in sorted(shown[slot, "requests"].items())
                if at in errors  # or nothing is known of the period
            )
        )

    def totals(self, name: str, asked: Evidence, since: float, now: float) -> Mapping[str, Totals]:
        """Add up both slots' answers in the whole periods between two times."""
        period = _period(asked, now - since)
        start, end = -(-since // period) * period, now // period * period
        wanted = {"requests": _REQUESTS, "errors": _ERRORS, "latency": ("ModelLatency", "Sum")}
        shown = self._read(name, dict.fromkeys(SLOTS, wanted), period, start, end)
        return {slot: _totals(shown, slot) for slot in SLOTS}

    def baseline_p99(self, name: str, slot: str, now: float) -> float | None:
        """Return the 99th percentile of ModelLatency in milliseconds, in the fuller of the last two hours of the clock.

        CloudWatch adds percentiles up over whole hours only. None when there were too few requests.
        """
        wanted = {"requests": _REQUESTS, "p99": _P99}
        shown = self._read(name, {slot: wanted}, _HOUR, (now // _HOUR - 1) * _HOUR, (now // _HOUR + 1) * _HOUR)
        requests, slowest = shown[slot, "requests"], shown[slot, "p99"]
        fullest = max(slowest, key=lambda at: requests.get(at, 0.0), default=None)
        if fullest is None or requests.get(fullest, 0.0) < _LEAST_REQUESTS:
            return None
        return slowest[fullest] / _MILLISECOND

    def series(
        self, name: str, slot: str, asked: Evidence, since: float, now: float, threshold_ms: float | None
    ) -> Series:
        """Count errors and answers slower than the threshold of a new version in `slot` and of the live one.

        Slow ones come from CloudWatch's trimmed counts of ModelLatency above the threshold and up to it, which together
        are all. A period of which it has neither, or no count of errors, is unknown, and not one without any.
        """
        wanted = {"requests": _REQUESTS, "errors": _ERRORS, **_split(threshold_ms)}
        pair = (slot, other_slot(slot))
        errors: list[Stratum] = []
        latency: list[Stratum] = []
        for start, end, period in _stretches(asked, since, now):
            shown = self._read(name, dict.fromkeys(pair, wanted), period, start, end)
            errors += _strata(shown, pair, _failed)
            latency += _strata(shown, pair, _slow)
        return Series(period, errors=tuple(errors), latency=tuple(latency), threshold_ms=threshold_ms)

    def _read(
        self, name: str, wanted: Mapping[str, Mapping[str, tuple[str, str]]], period: int, start: float, end: float
    ) -> dict[tuple[str, str], _Points]:
        """Return the data points of every series; those of a slot without requests are empty."""
        series = {(slot, each): metric for slot, metrics in wanted.items() for each, metric in metrics.items()}
        found: dict[tuple[str, str], _Points] = {key: {} for key in series}
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
_P99 = ("ModelLatency", "p99")


_Shown = Mapping[tuple[str, str], _Points]


def _split(threshold_ms: float | None) -> dict[str, tuple[str, str]]:
    if threshold_ms is None:
        return {}
    bound = f"{threshold_ms * _MILLISECOND:.0f}"
    return {"slow": ("ModelLatency", f"TC({bound}:)"), "fast": ("ModelLatency", f"TC(:{bound})")}


def _strata(
    shown: _Shown, pair: tuple[str, str], tally: Callable[[_Shown, str, datetime], Tally]
) -> tuple[Stratum, ...]:
    """Return the periods in which any request was counted: how many of each of both, and how many of them bad ones."""
    times = sorted({at for slot in pair for at in shown[slot, "requests"]})
    found = (Stratum(at.timestamp(), *(tally(shown, slot, at) for slot in pair)) for at in times)
    return tuple(each for each in found if each.new.total or each.live.total)


def _failed(shown: _Shown, slot: str, at: datetime) -> Tally:
    # SageMaker sends a 0 for each answer that is no error: where nothing was sent, nothing is known.
    errors = shown[slot, "errors"].get(at)
    return Tally(0, 0) if errors is None else Tally(int(errors), int(shown[slot, "requests"].get(at, 0)))


def _slow(shown: _Shown, slot: str, at: datetime) -> Tally:
    slow, fast = (int(shown.get((slot, each), {}).get(at, 0)) for each in ("slow", "fast"))
    return Tally(slow, slow + fast)


def _totals(shown: _Shown, slot: str) -> Totals:
    def total(each: str) -> float:
        return sum(shown[slot, each].values())

    return Totals(int(total("requests")), int(total("errors")), total("latency") / _MILLISECOND)


def _period(asked: Evidence, span: float) -> int:
    """Return a period that CloudWatch still keeps over the span, and of which one page holds all."""
    if span < _HIGH_RESOLUTION:
        return asked.period_seconds
    return max(asked.period_seconds, 60) if span < _DAY else _HOUR


def _stretches(asked: Evidence, since: float, now: float) -> list[tuple[float, float, int]]:
    """Return start, end and period of what is read: the last day closely, and the time before coarsely.

    A period counts when it has had time to come in.
    """
    period = _period(asked, min(now - since, _DAY - 1))
    end = (now - min(period, _SETTLED_SECONDS)) // period * period
    if now - since < _DAY:
        return [(_rounded_up(since, period), end, period)]
    coarse = lcm(period, _COARSE if now - since < 5 * _DAY else 3 * _COARSE)
    border = _rounded_up(now - _DAY, coarse)
    return [(_rounded_up(since, coarse), border, coarse), (border, end, period)]


def _rounded_up(at: float, period: int) -> float:
    return -(-at // period) * period


def _query(identity: str, name: str, slot: str, metric: tuple[str, str], period: int) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": slot}]
    series = {"Namespace": "AWS/SageMaker", "MetricName": metric[0], "Dimensions": dimensions}
    return {"Id": identity, "MetricStat": {"Metric": series, "Period": period, "Stat": metric[1]}}


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
