"""EventBridge rules whose deliveries are retried, and kept when they fail all the same."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.lost_events import LostEvents

_DAY_SECONDS = 24 * 3600
_MOST_RETRIES = 185


class EventRoute(Construct):
    """A rule with one target, a retry policy and a dead-letter queue.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    description
        What it carries.
    dead_letters
        Takes deliveries that failed.
    pattern
        Events it matches, or
    schedule
        when it fires.
    max_age_seconds
        How long a delivery is retried.
    message
        What the target is told instead of the event.
    told
        What it is told of the event instead.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        dead_letters: LostEvents,
        pattern: Mapping[str, Any] | None = None,
        schedule: str | None = None,
        max_age_seconds: int = _DAY_SECONDS,
        message: Mapping[str, Any] | None = None,
        told: events.CfnRule.InputTransformerProperty | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._message = None if message is None else json.dumps(message)
        self._told = told
        self._dead_letters = events.CfnRule.DeadLetterConfigProperty(arn=dead_letters.queue.queue_arn)
        self._retries = events.CfnRule.RetryPolicyProperty(
            maximum_event_age_in_seconds=max_age_seconds, maximum_retry_attempts=_MOST_RETRIES
        )
        self.rule = events.CfnRule(
            self, "Rule", description=description, event_pattern=pattern, schedule_expression=schedule, state="ENABLED"
        )

    def to_function(self, function: lambda_.Function) -> None:
        """Deliver to a function."""
        self._invoke(function.function_arn)

    def to_alias(self, alias: lambda_.Alias) -> None:
        """Deliver to a function by its alias."""
        self._invoke(alias.function_arn)

    def _invoke(self, arn: str) -> None:
        self._target(arn)
        lambda_.CfnPermission(
            self,
            "MayInvoke",
            action="lambda:InvokeFunction",
            function_name=arn,
            principal="events.amazonaws.com",
            source_arn=self.rule.attr_arn,
        )

    def to_queue(self, queue: sqs.Queue) -> None:
        """Deliver to a queue."""
        self._target(queue.queue_arn)
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"Deliver{self.node.id}",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": self.rule.attr_arn}},
            )
        )

    def _target(self, arn: str) -> None:
        target = events.CfnRule.TargetProperty(
            id="Target",
            arn=arn,
            input=self._message,
            input_transformer=self._told,
            dead_letter_config=self._dead_letters,
            retry_policy=self._retries,
        )
        self.rule.targets = [target]


def every(minutes: int) -> str:
    """Return the schedule of something that is due every so many minutes; AWS insists on the singular for one."""
    return f"rate({minutes} minute{'s' * (minutes > 1)})"


def alarms_pattern(alarm_arns: Sequence[str]) -> dict[str, Any]:
    """Return the pattern of state changes of the given alarms."""
    return {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "resources": list(alarm_arns),
    }
