"""Queues for what could not be handled, and alarms that say so."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.alert_topic import alert


class DeadLetters(Construct):
    """A dead-letter queue, kept for two weeks, with an alarm on anything in it.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    holds
        What ends up in it, for the alarm's text.
    key
        Encrypts it.
    topic_arn
        Where the alarm is told.
    """

    def __init__(self, scope: Construct, construct_id: str, *, holds: str, key: kms.IKey, topic_arn: str) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=RemovalPolicy.DESTROY,
        )
        alarm = cloudwatch.Alarm(
            self,
            "NotEmpty",
            alarm_description=f"{holds} could not be handled and wait in a dead-letter queue",
            metric=self.queue.metric_approximate_number_of_messages_visible(
                statistic="Maximum", period=Duration.minutes(1)
            ),
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alert(alarm, topic_arn)
