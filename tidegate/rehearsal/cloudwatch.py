"""Records what an endpoint's variants answered, from CloudWatch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any

from lambdas.contract import SLOTS, other_slot
from tidegate.aws import Aws
from tidegate.errors import OperatorError
from tidegate.rehearsal.recording import LIVE, NEW, Answered, Recording, make

PERIOD = 60
"""Seconds; CloudWatch keeps such periods for 15 days."""

MAX_HOURS = 15 * 24
_HOUR = 3600
_COMPLETE = "Complete"
_MICROSECONDS = 1000.0
_Values = dict[datetime, float]


def record(
    aws: Aws, name: str, *, hours: float, now: float, live_slot: str | None = None, slow_ms: float | None = None
) -> Recording:
    """Return what both slots answered in the last `hours`.

    Parameters
    ----------
    aws, name
        The account and the SageMaker endpoint.
    hours
        How far back.
    now
        The time, in epoch seconds.
    live_slot
        The slot that is taken for the live version; left out, the one that answered more.
    slow_ms
        What is slow; left out, the live slot's 99th percentile: the median of its hours.
    """
    # The latest minute may still be counted.
    end = now // PERIOD * PERIOD - PERIOD
    start = end - round(hours * 60) * PERIOD
    requests = _read(aws, name, dict.fromkeys(SLOTS, ("Invocations", "Sum")), PERIOD, start, end)
    live = live_slot or max(SLOTS, key=lambda slot: sum(requests[slot].values()))
    if not requests[live]:
        raise OperatorError(
            f"{name}: CloudWatch has no requests of slot {live} in the last {hours:g} hours",
            "look further back with --hours, or give a recording with --metrics",
        )
    errors = _read(aws, name, dict.fromkeys(SLOTS, ("Invocation5XXErrors", "Sum")), PERIOD, start, end)
    threshold = slow_ms or _usual_p99(aws, name, live, start, end)
    slow = _slow(aws, name, threshold, start, end) if threshold else None
    roles = {LIVE: live, NEW: other_slot(live)}
    rows = (
        (at.timestamp(), role, _answered(count, errors[slot].get(at), slow[slot].get(at) if slow else None))
        for role, slot in roles.items()
        for at, count in requests[slot].items()
    )
    told = f"{name}, {hours:g} h of CloudWatch, {live} as the live version"
    return make(f"{told}, slow above {threshold:.4g} ms" if threshold else told, rows, has_slow=slow is not None)


def _answered(requests: float, errors: float | None, slow: float | None) -> Answered:
    count = int(requests)
    return Answered(count, min(int(errors or 0), count), min(int(slow or 0), count))


def _usual_p99(aws: Aws, name: str, slot: str, start: float, end: float) -> float | None:
    found = _read(aws, name, {slot: ("ModelLatency", "p99")}, _HOUR, start // _HOUR * _HOUR, end)
    return median(found[slot].values()) / _MICROSECONDS if found[slot] else None


def _slow(aws: Aws, name: str, threshold_ms: float, start: float, end: float) -> dict[str, _Values]:
    statistic = f"TC({threshold_ms * _MICROSECONDS:.0f}:)"
    return _read(aws, name, dict.fromkeys(SLOTS, ("ModelLatency", statistic)), PERIOD, start, end)


def _read(
    aws: Aws, name: str, wanted: Mapping[str, tuple[str, str]], period: int, start: float, end: float
) -> dict[str, _Values]:
    """Return each slot's data points."""
    found: dict[str, _Values] = {slot: {} for slot in wanted}
    status = dict.fromkeys(wanted, _COMPLETE)
    queries = [_query(name, slot, *metric, period) for slot, metric in wanted.items()]
    for page in _pages(aws, queries, start, end):
        for result in page["MetricDataResults"]:
            found[result["Id"]] |= dict(zip(result["Timestamps"], result["Values"], strict=True))
            # What is missing on one page may come on the next.
            status[result["Id"]] = result.get("StatusCode", _COMPLETE)
    for slot, last in status.items():
        if last != _COMPLETE:
            raise OperatorError(
                f"{name}: CloudWatch did not give all of {wanted[slot][0]} of slot {slot}: {last}",
                "try again, or for fewer --hours",
            )
    return found


def _pages(aws: Aws, queries: Sequence[Any], start: float, end: float) -> Iterator[Mapping[str, Any]]:
    more: dict[str, str] = {}
    while True:
        times = {"StartTime": datetime.fromtimestamp(start, UTC), "EndTime": datetime.fromtimestamp(end, UTC)}
        page: Mapping[str, Any] = aws.cloudwatch.get_metric_data(
            MetricDataQueries=queries,
            **times,  # type: ignore[arg-type]  # the stubs see one type for all of them
            **more,  # type: ignore[arg-type]
        )
        yield page
        if "NextToken" not in page:
            return
        more = {"NextToken": page["NextToken"]}


def _query(name: str, slot: str, metric: str, statistic: str, period: int) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": slot}]
    series = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}
    return {"Id": slot, "MetricStat": {"Metric": series, "Period": period, "Stat": statistic}}
