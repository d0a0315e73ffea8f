"""What people are told, as one who has subscribed to it reads it."""

import json
from typing import Any

from lambdas import contract
from tests.scenarios.loop import Loop


class Notices:
    """All that is published to an environment's topic from now on.

    Parameters
    ----------
    loop
        The environment.
    """

    def __init__(self, loop: Loop) -> None:
        self._sqs = loop.cloud.client("sqs")
        self._queue = self._sqs.create_queue(QueueName="people")["QueueUrl"]
        asked = {"QueueUrl": self._queue, "AttributeNames": ["QueueArn"]}
        queue = self._sqs.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
        policy = {"Version": "2012-10-17", "Statement": [_may_send(queue)]}
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": json.dumps(policy)})
        react = loop.cloud.client("lambda").get_function_configuration(FunctionName="tidegate-local-react")
        topic = react["Environment"]["Variables"][contract.ENV_TOPIC_ARN]
        loop.cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        self._read: dict[str, str] = {}

    def read(self) -> dict[str, str]:
        """Return the texts of all that has been told so far, by subject."""
        while found := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                told = json.loads(message["Body"])
                self._read[told["Subject"]] = told["Message"]
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return self._read


def _may_send(queue: str) -> dict[str, Any]:
    sns = {"Service": "sns.amazonaws.com"}
    return {"Effect": "Allow", "Principal": sns, "Action": "sqs:SendMessage", "Resource": queue}
