"""What compares both versions' answers to captured requests."""

from collections.abc import Sequence

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas import contract
from lambdas.contract import CAPTURE_PREFIX
from stacks.constructs.control_function import ControlFunction
from stacks.constructs.event_route import EventRoute
from stacks.constructs.lost_events import LostEvents
from stacks.constructs.permissions import allow, use_key_of
from stacks.constructs.work_queue import WorkQueue
from stacks.names import Names


class AnswerComparison(Construct):
    """The way from captured requests to the function that compares answers, and what that function may do.

    S3 tells EventBridge of every object that is written below the endpoints' captures, and the function takes them off
    a queue: two at a time at most, so that a new version never gets more than two of its requests at once.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    endpoints
        SageMaker names of the endpoints whose versions are compared.
    names
        Names in the stack that holds the function's role.
    function
        Compares answers.
    queue
        Feeds it.
    table
        The rollout table.
    dead_letters
        Takes events that could not be delivered.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoints: Sequence[str],
        names: Names,
        function: ControlFunction,
        queue: WorkQueue,
        table: dynamodb.Table,
        dead_letters: LostEvents,
    ) -> None:
        super().__init__(scope, construct_id)
        self._endpoints = list(endpoints)
        self._names = names
        function.allow(*self._read_captures(), self._ask_versions(), *self._keep_findings(table))
        queue.feed_slowly(function)
        route = EventRoute(
            self,
            "CapturedObjects",
            description="Captured requests of endpoints whose versions are compared",
            dead_letters=dead_letters,
            pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [names.artefact_bucket]},
                    "object": {"key": [{"prefix": f"{CAPTURE_PREFIX}/{name}/"} for name in self._endpoints]},
                },
            },
        )
        route.to_queue(queue.queue)

    def _read_captures(self) -> list[iam.PolicyStatement]:
        bucket, key = self._names.artefact_bucket, self._names.registry_key
        captures = [self._s3_arn(f"{bucket}/{CAPTURE_PREFIX}/{name}/*") for name in self._endpoints]
        return [
            allow("ReadCaptures", ["s3:GetObject"], captures),
            use_key_of(self._names, key, "s3", "UnsealCaptures", "Decrypt"),
        ]

    def _s3_arn(self, path: str) -> str:
        return self._names.stack.format_arn(service="s3", account="", region="", resource=path)

    def _ask_versions(self) -> iam.PolicyStatement:
        endpoints = [self._names.sagemaker_arn("endpoint", name) for name in self._endpoints]
        return allow("AskVersions", ["sagemaker:InvokeEndpoint"], endpoints)

    def _keep_findings(self, table: dynamodb.Table) -> list[iam.PolicyStatement]:
        """Nothing that the engine goes by can be overwritten."""
        states = [contract.endpoint_partition(name) for name in self._endpoints]
        findings = [contract.paired_partition(name) for name in self._endpoints]
        return [
            allow("ReadState", ["dynamodb:GetItem"], [table.table_arn], **_partitions([*states, *findings])),
            allow("KeepFindings", ["dynamodb:PutItem"], [table.table_arn], **_partitions(findings)),
        ]


def _partitions(keys: Sequence[str]) -> dict[str, object]:
    return {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": list(keys)}}
