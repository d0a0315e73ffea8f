"""CloudWatch's counts of a variant's answers."""

from datetime import UTC, datetime
from typing import Any

from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.evidence import Answered, Evidence, Period


class CloudWatchMetrics:
    """Implements `lambdas.rollout.ports.Metrics`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("cloudwatch")

    def answered(self, name: str, slot: str, asked: Evidence, since: float, now: float) -> Answered:
        """Count a slot's answers in the whole periods between two times."""
        start, end = asked.span(since, now)
        if start == end:
            return Answered()
        queries = [_query(each, metric, name, slot, asked) for each, metric in _METRICS.items()]
        with translated():
            # At most an hour of 10 s periods, twice: one page.
            shown = self._client().get_metric_data(
                MetricDataQueries=queries, StartTime=_moment(start), EndTime=_moment(end)
            )
        results = shown["MetricDataResults"]
        sums = {each["Id"]: dict(zip(each["Timestamps"], each["Values"], strict=True)) for each in results}
        errors = sums.get("errors", {})
        counts = sorted(sums.get("requests", {}).items())
        return Answered(tuple(Period(at.timestamp(), int(count), int(errors.get(at, 0))) for at, count in counts))


_METRICS = {"requests": "Invocations", "errors": "Invocation5XXErrors"}


def _query(identity: str, metric: str, name: str, slot: str, asked: Evidence) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": slot}]
    series = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}
    return {"Id": identity, "MetricStat": {"Metric": series, "Period": asked.period_seconds, "Stat": "Sum"}}


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
