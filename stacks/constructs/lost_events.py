"""Where EventBridge puts what the rules of a stack could not deliver."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.constructs.dead_letters import DeadLetters

_WHOLE = 24
"""Characters of a stack's name that are left in the names of its rules. A rule's name has 64, of which CloudFormation
takes 13 for a random end and, where the rest is too long, gives half of what is left to the stack's."""


class LostEvents(DeadLetters):
    """A dead-letter queue that all rules of its stack may send to.

    One statement lets them all, for SQS takes no more than twenty, and a stack has more rules than that.

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
        super().__init__(scope, construct_id, holds=holds, key=key, topic_arn=topic_arn)
        stack = Stack.of(self)
        rules = stack.format_arn(
            service="events",
            resource="rule",
            resource_name=f"{_beginning(stack.stack_name)}*",
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="UndeliveredEvents",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={
                    "ArnLike": {"aws:SourceArn": rules},
                    "StringEquals": {"aws:SourceAccount": stack.account},
                },
            )
        )


def _beginning(stack_name: str) -> str:
    """Return what the generated names of a stack's rules begin with; an environment's name is always part of it."""
    return f"{stack_name}-" if len(stack_name) <= _WHOLE else stack_name[:_WHOLE]
