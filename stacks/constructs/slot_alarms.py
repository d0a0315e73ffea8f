"""When a production variant counts as unhealthy."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from lambdas import contract
from stacks.config import Alarms
from stacks.constructs.alert_topic import alert

_NAMESPACE = "AWS/SageMaker"
_MICROSECONDS = 1000
"""SageMaker's latencies are microseconds; an environment's file says milliseconds."""


class SlotAlarms(Construct):
    """Alarms on one slot of an endpoint, built from its name alone, and one that sums them up.

    A period with fewer than the minimum of requests yields no data point: no traffic is not health, and a percentile of
    three requests is noise.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    endpoint_name
        SageMaker name of the endpoint.
    slot
        Production variant.
    alarms
        Thresholds.
    period_seconds
        Period of the endpoint's metrics.
    topic_arn
        Where the summary is told.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        slot: str,
        alarms: Alarms,
        period_seconds: int,
        topic_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._dimensions = {"EndpointName": endpoint_name, "VariantName": slot}
        self._alarms = alarms
        self._period = Duration.seconds(period_seconds)
        names = [contract.error_rate_alarm(endpoint_name, slot), contract.latency_alarm(endpoint_name, slot)]
        children = [self._error_rate(names[0]), self._latency(names[1])]
        summary = cloudwatch.CompositeAlarm(
            self,
            "Unhealthy",
            composite_alarm_name=contract.unhealthy_alarm(endpoint_name, slot),
            alarm_description=f"{slot} of {endpoint_name} answers with errors or too slowly; a rollout to it is undone",
            alarm_rule=cloudwatch.AlarmRule.from_string(" OR ".join(f'ALARM("{name}")' for name in names)),
        )
        summary.node.add_dependency(*children)
        alert(summary, topic_arn)

    def _error_rate(self, name: str) -> cloudwatch.Alarm:
        expression = f"IF(invocations >= {self._alarms.min_requests}, 100 * errors / invocations)"
        metrics = {
            "invocations": self._metric("Invocations", "Sum"),
            "errors": self._metric("Invocation5XXErrors", "Sum"),
        }
        text = f"More than {self._alarms.error_rate_percent:g} % of the answers are 5xx"
        return self._alarm("ErrorRate", name, text, expression, metrics, self._alarms.error_rate_percent)

    def _latency(self, name: str) -> cloudwatch.Alarm:
        expression = f"IF(samples >= {self._alarms.min_requests}, p99)"
        metrics = {
            "p99": self._metric("ModelLatency", "p99"),
            "samples": self._metric("ModelLatency", "SampleCount"),
        }
        limit = self._alarms.p99_latency_milliseconds
        text = f"The 99th percentile of ModelLatency is above {limit} ms"
        return self._alarm("Latency", name, text, expression, metrics, limit * _MICROSECONDS)

    def _metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=_NAMESPACE,
            metric_name=name,
            dimensions_map=self._dimensions,
            statistic=statistic,
            period=self._period,
        )

    def _alarm(
        self,
        construct_id: str,
        name: str,
        text: str,
        expression: str,
        metrics: Mapping[str, cloudwatch.IMetric],
        threshold: float,
    ) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=name,
            alarm_description=text,
            metric=cloudwatch.MathExpression(
                expression=expression, using_metrics=metrics, label=construct_id, period=self._period
            ),
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=self._alarms.of_periods,
            datapoints_to_alarm=self._alarms.bad_periods,
            treat_missing_data=cloudwatch.TreatMissingData.MISSING,
        )
