"""Rows from one stream, answers to another."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas import contract
from stacks.config import Endpoint
from stacks.config.front_door import FrontDoor, Streaming
from stacks.constructs.alert_topic import alert
from stacks.constructs.dead_letters import DeadLetters
from stacks.constructs.front_door.door_function import DoorFunction
from stacks.constructs.front_door.permissions import FrontDoorPermissions
from stacks.constructs.front_door.shared import Shared
from stacks.constructs.permissions import allow, send

_MARGIN_SECONDS = 30
_CALLS_PER_BATCH = 3
"""A batch takes a few calls of the model, one after another."""

_BEHIND_MS = 3_600_000

_READING = ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")

_Destinations = lambda_.CfnEventSourceMapping.DestinationConfigProperty
_OnFailure = lambda_.CfnEventSourceMapping.OnFailureProperty


class PredictionStream(Construct):
    """Two Kinesis streams, the function between them, and where batches end that keep failing.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    shared
        What it shares with others.
    endpoint, door, stream
        The endpoint, its front door, and its streams.
    permissions
        What the function may do.
    variables
        What the function is told.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        shared: Shared,
        endpoint: Endpoint,
        door: FrontDoor,
        stream: Streaming,
        permissions: FrontDoorPermissions,
        variables: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._shared = shared
        self._rows, self._answers = (self._stream(name, stream) for name in ("Rows", "Answers"))
        dead = DeadLetters(
            self,
            "Dead",
            holds=f"Rows of {endpoint.name} that could not be answered",
            key=shared.key,
            topic_arn=shared.names.topic_arn,
        )
        self.work = DoorFunction(
            self,
            "Work",
            shared=shared,
            endpoint=endpoint.name,
            handler="stream",
            description=f"Answers the rows of the stream of {endpoint.name}",
            variables={**variables, contract.ENV_OUTPUT_STREAM: self._answers.stream_name},
            timeout=Duration.seconds(_CALLS_PER_BATCH * door.timeout_seconds + _MARGIN_SECONDS),
        )
        self.work.allow(
            *permissions.predict(),
            allow("ReadRows", [f"kinesis:{action}" for action in _READING], [self._rows.stream_arn]),
            allow("WriteAnswers", ["kinesis:PutRecords"], [self._answers.stream_arn]),
            send(dead.queue, "BuryRows"),
        )
        self._feed(stream, dead)
        self._tell_of_delay(endpoint.name, stream)

    @property
    def places(self) -> dict[str, str]:
        """Return where operators find the streams."""
        return {"rows": self._rows.stream_name, "answers": self._answers.stream_name}

    def _stream(self, name: str, stream: Streaming) -> kinesis.Stream:
        """What is in it is on its way, but a dead letter does not hold the rows it names: they must still be here."""
        return kinesis.Stream(
            self,
            name,
            shard_count=stream.shards,
            encryption=kinesis.StreamEncryption.KMS,
            encryption_key=self._shared.key,
            retention_period=Duration.days(stream.keep_days),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _feed(self, stream: Streaming, dead: DeadLetters) -> None:
        mapping = self.work.function.add_event_source_mapping(
            "RowsFeed",
            event_source_arn=self._rows.stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=stream.batch_records,
            max_batching_window=Duration.seconds(stream.window_seconds),
            bisect_batch_on_error=True,
            retry_attempts=stream.attempts,
            report_batch_item_failures=True,
        )
        mapping.node.add_dependency(self.work.role)
        # The CDK's own property for it allows more than sending.
        resource = mapping.node.default_child
        assert isinstance(resource, lambda_.CfnEventSourceMapping)
        resource.destination_config = _Destinations(on_failure=_OnFailure(destination=dead.queue.queue_arn))

    def _tell_of_delay(self, name: str, stream: Streaming) -> None:
        """Rows that are not answered while they are kept are gone, and no dead letter tells of them."""
        alarm = cloudwatch.Alarm(
            self,
            "Behind",
            alarm_description=(
                f"The stream of {name} is an hour behind, and keeps rows for {stream.keep_days * 24} hours: "
                "see whether the endpoint answers, and the log of the function; where it does, add shards"
            ),
            metric=self.work.function.metric("IteratorAge", statistic="Maximum", period=Duration.minutes(5)),
            threshold=_BEHIND_MS,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alert(alarm, self._shared.names.topic_arn)
