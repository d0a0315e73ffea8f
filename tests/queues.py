"""Queues by which tests listen to what services send."""

import json
from typing import Any


def make_queue(sqs: Any, name: str, **attributes: str) -> tuple[str, str]:
    """Make a queue; return its URL and ARN."""
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def let_send(sqs: Any, queue: tuple[str, str], service: str, source_arn: str | None = None) -> None:
    """Let a service send to a queue: for anything, or for one resource."""
    url, arn = queue
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    if source_arn:
        statement["Condition"] = {"ArnEquals": {"aws:SourceArn": source_arn}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
