"""Queues that feed a function."""

from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.control_function import ControlFunction
from stacks.constructs.dead_letters import DeadLetters
from stacks.constructs.permissions import consume

_ATTEMPTS = 5
_BATCH_SIZE = 10
_FEWEST_BATCHES, _MOST_BATCHES = 2, 10
"""At once."""
_WINDOW = Duration.seconds(1)
"""Time in which a batch fills up. Without it a free poller hands out every message alone, and a thousand endpoints
would read their alarms one by one, at twice CloudWatch's quota (`make bench`)."""


class WorkQueue(Construct):
    """An encrypted queue whose messages go to its dead letters after five failures.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    holds
        What is in it, for the alarm's text.
    key
        Encrypts it.
    topic_arn
        Where its alarm is told.
    consumer_timeout
        Timeout of the function that it feeds. A message stays hidden for six times as long, as AWS advises, so that
        none is handed out again while a batch is still at work or throttled.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        holds: str,
        key: kms.IKey,
        topic_arn: str,
        consumer_timeout: Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        dead_letters = DeadLetters(self, "DeadLetters", holds=holds, key=key, topic_arn=topic_arn)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(6 * int(consumer_timeout.to_seconds())),
            retention_period=Duration.days(4),
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=_ATTEMPTS, queue=dead_letters.queue),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def feed(self, consumer: ControlFunction, *, reserved_concurrency: int | None = None) -> None:
        """Let `consumer` take messages; it reports the ones that failed one by one.

        Of a reserved concurrency messages get half, for the function is called by events too, and a message that finds
        no room has spent one of its attempts.
        """
        room = _MOST_BATCHES if reserved_concurrency is None else reserved_concurrency // 2
        self._feed(
            consumer,
            batch_size=_BATCH_SIZE,
            max_batching_window=_WINDOW,
            max_concurrency=min(max(room, _FEWEST_BATCHES), _MOST_BATCHES),
        )

    def feed_slowly(self, consumer: ControlFunction) -> None:
        """Let `consumer` take messages one by one, as few at a time as Lambda knows: it works for long on each."""
        self._feed(consumer, batch_size=1, max_concurrency=_FEWEST_BATCHES)

    def _feed(self, consumer: ControlFunction, **pace: Any) -> None:
        consumer.allow(consume(self.queue))
        mapping = consumer.function.add_event_source_mapping(
            f"{self.node.id}Feed",
            event_source_arn=self.queue.queue_arn,
            report_batch_item_failures=True,
            **pace,
        )
        mapping.node.add_dependency(consumer.role)
