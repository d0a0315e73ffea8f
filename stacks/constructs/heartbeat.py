"""An alarm on silence."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.alert_topic import alert

_MINUTES = 5


class Heartbeat(Construct):
    """Goes off when a function that runs every minute has not ended well for five; silence counts as failure.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    function
        The function.
    topic_arn
        Where the alarm is told.
    stands_still
        What may stand still meanwhile, for the alarm's text.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.Function,
        topic_arn: str,
        stands_still: str = "rollouts",
    ) -> None:
        super().__init__(scope, construct_id)
        minute = Duration.minutes(1)
        alarm = cloudwatch.Alarm(
            self,
            "Silent",
            alarm_description=f"The sweeper has not run well for five minutes: {stands_still} may stand still",
            metric=cloudwatch.MathExpression(
                expression="invocations - errors",
                using_metrics={
                    "invocations": function.metric_invocations(statistic="Sum", period=minute),
                    "errors": function.metric_errors(statistic="Sum", period=minute),
                },
                label="Good runs",
                period=minute,
            ),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=_MINUTES,
            datapoints_to_alarm=_MINUTES,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        alert(alarm, topic_arn)
