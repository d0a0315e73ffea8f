"""Jobs of an endpoint, as its front door keeps them: listed, looked at, and queued again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from typing import Any

from botocore.exceptions import ClientError

from lambdas import contract
from lambdas.inference.adapters.attributes import plain, written
from lambdas.inference.jobs import items
from lambdas.inference.jobs.job import Job, Status
from lambdas.inference.jobs.messages import Message
from lambdas.rollout.errors import PermanentError
from tidegate.aws import Aws
from tidegate.errors import OperatorError
from tidegate.front_door import front_door
from tidegate.settings import EndpointSettings


class Redriven(Enum):
    """What came of queueing a job again."""

    QUEUED = "queued again"
    ANSWERED = "left alone: it has its answer"
    RUNNING = "left alone: it is being worked on"
    CHANGED = "left alone: it has changed just now; try again"
    GONE = "there is no such job, or it is kept no longer"

    @property
    def settled(self) -> bool:
        """Return whether its dead letter has nothing more to say."""
        return self in (Redriven.QUEUED, Redriven.ANSWERED, Redriven.GONE)


def all_of(aws: Aws, endpoint: EndpointSettings, subject: str | None = None) -> Iterator[Job]:
    """Yield the jobs that are kept, in no order; of one subject only if it is named.

    The whole table is read for this, answers that are cached among it: jobs are found by their ids, and nothing but an
    operator ever wants them all.
    """
    condition, values = "begins_with(#pk, :prefix)", {":prefix": items.partition_prefix(endpoint.name)}
    names = {"#pk": contract.TABLE_PARTITION_KEY}
    if subject is not None:
        condition, values = f"{condition} AND #subject = :subject", {**values, ":subject": subject}
        names = {**names, "#subject": "subject"}
    pages = aws.dynamodb.get_paginator("scan").paginate(
        TableName=contract.inference_table(endpoint.environment),
        FilterExpression=condition,
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=written(values),
        ConsistentRead=True,
    )
    for page in pages:
        for item in page["Items"]:
            yield _read(item)


def find(aws: Aws, endpoint: EndpointSettings, identity: str) -> Job | None:
    """Return a job; None where there is none (any more)."""
    key = written(items.key(endpoint.name, identity))
    table = contract.inference_table(endpoint.environment)
    answer = aws.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
    return _read(answer["Item"]) if "Item" in answer else None


def redrive(aws: Aws, endpoint: EndpointSettings, identity: str, now: float) -> Redriven:
    """Queue a job again, unless it has its answer or is being worked on; `now` is in epoch seconds.

    It is queued durably before its message is sent: whoever is stopped in between can do the same again.
    """
    job = find(aws, endpoint, identity)
    if job is None or job.expires <= now:
        return Redriven.GONE
    if job.status is Status.DONE:
        return Redriven.ANSWERED
    if job.leased(now):
        return Redriven.RUNNING
    if not _saved(aws, endpoint, job.queued_again(now)):
        return Redriven.CHANGED
    queue = queues(aws, endpoint)["queue"]
    aws.sqs.send_message(QueueUrl=queue, MessageBody=Message(endpoint.name, identity).text())
    return Redriven.QUEUED


def queues(aws: Aws, endpoint: EndpointSettings) -> dict[str, str]:
    """Return the URLs of the queue of jobs (`queue`) and of that of dead letters (`dead_letters`).

    Raises
    ------
    OperatorError
        When the endpoint has no jobs.
    """
    door = front_door(aws, endpoint)
    names = ("queue", "dead_letters")
    if door is None or any(name not in door.described for name in names):
        raise OperatorError(
            f"{endpoint.name} takes no jobs",
            f"add jobs: to its front_door: in environments/{endpoint.environment}.yaml, and deploy",
        )
    return {name: str(door.described[name]) for name in names}


def _saved(aws: Aws, endpoint: EndpointSettings, job: Job) -> bool:
    try:
        aws.dynamodb.put_item(
            TableName=contract.inference_table(endpoint.environment),
            Item=written(items.item(replace(job, version=job.version + 1))),
            ConditionExpression="#version = :version",
            ExpressionAttributeNames={"#version": "version"},
            ExpressionAttributeValues=written({":version": job.version}),
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _read(item: Any) -> Job:
    try:
        return items.read(plain(item))
    except PermanentError as error:
        raise OperatorError(str(error), "use the checkout that the environment was deployed from") from error
