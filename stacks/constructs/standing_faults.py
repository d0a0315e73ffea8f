"""Alarms on what a person must put right."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from lambdas import contract
from stacks.constructs.alert_topic import alert

_MINUTE = Duration.minutes(1)
_MINUTES = 5


class StandingFaults(Construct):
    """Goes off when rollouts have met a fault in each of five minutes: AWS refuses something, or an item is unreadable.

    The sweeper writes the metric every minute, 0 included; that it runs at all is the heartbeat's to watch.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    environment
        Name of the environment.
    topic_arn
        Where the alarm is told.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: str, topic_arn: str) -> None:
        super().__init__(scope, construct_id)
        alarm = cloudwatch.Alarm(
            self,
            "Standing",
            alarm_description="Rollouts keep meeting a fault that a person must put right: see the sweeper's log",
            metric=_faults(environment, "tick"),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=_MINUTES,
            datapoints_to_alarm=_MINUTES,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alert(alarm, topic_arn)


class AnyFault(Construct):
    """Goes off at the first fault that one of some functions has met, for it will not be met a second time.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    environment
        Name of the environment.
    handlers
        The functions, by their handlers.
    meaning
        What a fault of these means, for the alarm's text.
    topic_arn
        Where the alarm is told.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        handlers: Sequence[str],
        meaning: str,
        topic_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        alarm = cloudwatch.Alarm(
            self,
            "Any",
            alarm_description=meaning,
            metric=cloudwatch.MathExpression(
                expression=" + ".join(f"FILL({handler}, 0)" for handler in handlers),
                using_metrics={handler: _faults(environment, handler) for handler in handlers},
                label="Faults",
                period=_MINUTE,
            ),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alert(alarm, topic_arn)


def _faults(environment: str, handler: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=contract.METRIC_NAMESPACE,
        metric_name=contract.FAULTS_METRIC,
        dimensions_map={
            contract.METRIC_DIMENSION: environment,
            contract.METRIC_FUNCTION_DIMENSION: contract.function_service(handler),
        },
        statistic="Sum",
        period=_MINUTE,
    )
