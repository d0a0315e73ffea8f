"""A front door's table, queues, bucket and parameters, in an account that moto keeps."""

from __future__ import annotations

import json
from typing import Any

import boto3

from lambdas.contract import TABLE_PARTITION_KEY, TABLE_SORT_KEY, front_door_parameter, inference_table
from lambdas.inference.adapters.attributes import written
from lambdas.inference.jobs import items
from lambdas.inference.jobs.job import Job, Status
from tests.unit.tidegate.conftest import SETTINGS
from tests.unit.tidegate.states import NOW
from tidegate import jobs as jobs_of
from tidegate.aws import Aws
from tidegate.settings import find_endpoint

NAME, TABLE = "rain-local", inference_table("local")
PROBLEM = {"status": 503, "detail": "the model was asked 3 times and has not answered"}


class Door:
    """A front door's table, queues and parameters in an account."""

    def __init__(self) -> None:
        self.fakes: dict[str, Any] = {}
        make: Any = boto3.client
        self.aws = Aws(lambda service: self.fakes.get(service) or make(service))
        self.aws.dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": TABLE_PARTITION_KEY, "KeyType": "HASH"},
                {"AttributeName": TABLE_SORT_KEY, "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": TABLE_PARTITION_KEY, "AttributeType": "S"},
                {"AttributeName": TABLE_SORT_KEY, "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        self.queue = self.aws.sqs.create_queue(QueueName="jobs")["QueueUrl"]
        self.dead = self.aws.sqs.create_queue(QueueName="jobs-dead")["QueueUrl"]
        self.declare(queue=self.queue, dead_letters=self.dead)
        self._parameter(f"/tidegate/local/endpoints/{NAME}", SETTINGS)

    def declare(self, **described: Any) -> None:
        url = "https://x.execute-api.us-east-1.amazonaws.com/live/"
        self._parameter(front_door_parameter("local", NAME), {"url": url, "auth": "iam", **described})

    def _parameter(self, name: str, value: Any) -> None:
        self.aws.ssm.put_parameter(Name=name, Value=json.dumps(value), Type="String", Overwrite=True)

    def job(self, identity: str, status: Status = Status.FAILED, endpoint: str = NAME, **fields: Any) -> Job:
        problem = PROBLEM if status is Status.FAILED else None
        known = {"created_at": NOW, "expires": int(NOW) + 3600, "problem": problem}
        job = Job(endpoint, identity, "shop", "hash", "in.json", status=status, **{**known, **fields})
        self.aws.dynamodb.put_item(TableName=TABLE, Item=written(items.item(job)))
        return job

    def found(self, identity: str) -> Job | None:
        return jobs_of.find(self.aws, find_endpoint(self.aws, "local", None), identity)

    def bury(self, identity: str, reason: str | None = "attempt 3, the last: busy", endpoint: str = NAME) -> None:
        attributes: Any = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
        body = json.dumps({"endpoint": endpoint, "job": identity})
        self.aws.sqs.send_message(QueueUrl=self.dead, MessageBody=body, MessageAttributes=attributes)

    def waiting(self, queue: str) -> list[Any]:
        found = self.aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(each["Body"])["job"] for each in found.get("Messages", [])]
