"""The topic that tells people."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct


class AlertTopic(sns.Topic):
    """An encrypted topic that this account's alarms may publish to.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    name
        Its name, by which the alarms of other stacks know it.
    key
        Encrypts it; its policy must let CloudWatch deliver.
    emails
        Who is told.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, key: kms.IKey, emails: Sequence[str]) -> None:
        super().__init__(scope, construct_id, topic_name=name, master_key=key, enforce_ssl=True)
        stack = Stack.of(self)
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {
                        "aws:SourceArn": stack.format_arn(
                            service="cloudwatch",
                            resource="alarm",
                            resource_name="*",
                            arn_format=ArnFormat.COLON_RESOURCE_NAME,
                        )
                    },
                },
            )
        )
        for email in emails:
            self.add_subscription(subscriptions.EmailSubscription(email))


def alert(alarm: cloudwatch.AlarmBase, topic_arn: str) -> None:
    """Tell the topic when the alarm goes off."""
    resource = alarm.node.default_child
    assert isinstance(resource, (cloudwatch.CfnAlarm, cloudwatch.CfnCompositeAlarm))
    resource.alarm_actions = [topic_arn]
