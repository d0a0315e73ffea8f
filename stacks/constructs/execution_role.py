"""The role under which an endpoint's containers run."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from lambdas.contract import BATCH_INPUT_PREFIX, BATCH_PREFIX, CAPTURE_PREFIX
from stacks.constructs.app_assets import asset_models, asset_repository, pull_images
from stacks.constructs.permissions import allow
from stacks.constructs.principals import sagemaker

_METRICS = {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/Endpoints"]}
"""Where endpoints' metrics lie; the action knows no resources."""


class ExecutionRole(iam.Role):
    """A role that reads one endpoint's artefacts and images and writes its captures, metrics and log.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    name
        Its fixed name, which the functions that pass it are allowed by.
    endpoint_name
        SageMaker name of the endpoint.
    bucket
        Holds artefacts and captures.
    key
        Encrypts them.
    log_group
        The endpoint's log.
    image_repositories
        ECR repositories beside that of the app's own images.
    runs_batches
        Whether its models also run in Batch Transform, which reads files of rows and writes answers.
    more
        What else they may do.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        endpoint_name: str,
        bucket: s3.IBucket,
        key: kms.IKey,
        log_group: logs.ILogGroup,
        image_repositories: Sequence[str],
        runs_batches: bool = False,
        more: Sequence[iam.PolicyStatement] = (),
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            role_name=name,
            description=f"Containers of {endpoint_name}",
            assumed_by=sagemaker(scope),
        )
        captures = bucket.arn_for_objects(f"{CAPTURE_PREFIX}/{endpoint_name}/*")
        statements = [
            allow(
                "ReadModels",
                ["s3:GetObject"],
                [bucket.arn_for_objects(f"{endpoint_name}/*"), asset_models(Stack.of(self))],
            ),
            allow("WriteCaptures", ["s3:PutObject"], [captures]),
            allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn]),
            allow(
                "WriteLog",
                ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                [log_group.log_group_arn],
            ),
            allow("PutMetrics", ["cloudwatch:PutMetricData"], ["*"], StringEquals=_METRICS),
            *pull_images([asset_repository(Stack.of(self)), *map(self._repository_arn, image_repositories)]),
        ]
        if runs_batches:
            statements += self._batches(bucket, endpoint_name)
        for statement in (*statements, *more):
            self.add_to_policy(statement)

    def _batches(self, bucket: s3.IBucket, endpoint_name: str) -> list[iam.PolicyStatement]:
        answers, rows = (f"{prefix}/{endpoint_name}/*" for prefix in (BATCH_PREFIX, BATCH_INPUT_PREFIX))
        stack = Stack.of(self)
        logs = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws/sagemaker/TransformJobs:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        writing = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        return [
            allow("FindRows", ["s3:ListBucket"], [bucket.bucket_arn], StringLike={"s3:prefix": [answers, rows]}),
            allow("ReadRows", ["s3:GetObject"], [bucket.arn_for_objects(answers), bucket.arn_for_objects(rows)]),
            allow("WriteAnswers", ["s3:PutObject"], [bucket.arn_for_objects(answers)]),
            allow("WriteBatchLog", writing, [logs]),
        ]

    def _repository_arn(self, uri: str) -> str:
        registry, name = uri.split("/", 1)
        account, _, _, region, *_ = registry.split(".")
        return Stack.of(self).format_arn(
            service="ecr", account=account, region=region, resource="repository", resource_name=name
        )
