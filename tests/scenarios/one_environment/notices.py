"""What people are told, as one who has subscribed to it reads it."""

import json

from lambdas import contract
from tests.queues import let_send, make_queue
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
        queue = self._queue, arn = make_queue(self._sqs, "people")
        let_send(self._sqs, queue, "sns.amazonaws.com")
        react = loop.cloud.client("lambda").get_function_configuration(FunctionName="tidegate-local-react")
        topic = react["Environment"]["Variables"][contract.ENV_TOPIC_ARN]
        loop.cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self._read: dict[str, str] = {}

    def read(self) -> dict[str, str]:
        """Return the texts of all that has been told so far, by subject."""
        while found := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                told = json.loads(message["Body"])
                self._read[told["Subject"]] = told["Message"]
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return self._read
