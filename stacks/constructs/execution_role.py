"""The role under which an endpoint's containers run."""

from collections.abc import Sequence

from aws_cdk import DefaultStackSynthesizer, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from lambdas.contract import CAPTURE_PREFIX
from stacks.constructs.permissions import allow

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
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            role_name=name,
            description=f"Containers of {endpoint_name}",
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
            ),
        )
        captures = bucket.arn_for_objects(f"{CAPTURE_PREFIX}/{endpoint_name}/*")
        statements = [
            allow("ReadModels", ["s3:GetObject"], [bucket.arn_for_objects(f"{endpoint_name}/*"), self._asset_models()]),
            allow("WriteCaptures", ["s3:PutObject"], [captures]),
            allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn]),
            allow(
                "WriteLog",
                ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                [log_group.log_group_arn],
            ),
            allow("PutMetrics", ["cloudwatch:PutMetricData"], ["*"], StringEquals=_METRICS),
            *self._pull([self._asset_repository(), *map(self._repository_arn, image_repositories)]),
        ]
        for statement in statements:
            self.add_to_policy(statement)

    def _pull(self, repositories: list[str]) -> list[iam.PolicyStatement]:
        """AWS gives out registry tokens for the account as a whole."""
        actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        return [allow("PullImages", actions, repositories), allow("LogIn", ["ecr:GetAuthorizationToken"], ["*"])]

    def _asset_models(self) -> str:
        """Bootstrap models in the bucket of the app's assets; any, as an older one may be live."""
        bucket = self._bootstrapped(DefaultStackSynthesizer.DEFAULT_FILE_ASSETS_BUCKET_NAME)
        return Stack.of(self).format_arn(service="s3", account="", region="", resource=bucket, resource_name="*.tar.gz")

    def _asset_repository(self) -> str:
        name = self._bootstrapped(DefaultStackSynthesizer.DEFAULT_IMAGE_ASSETS_REPOSITORY_NAME)
        return Stack.of(self).format_arn(service="ecr", resource="repository", resource_name=name)

    def _bootstrapped(self, template: str) -> str:
        stack = Stack.of(self)
        qualifier = stack.synthesizer.bootstrap_qualifier or DefaultStackSynthesizer.DEFAULT_QUALIFIER
        named = template.replace("${Qualifier}", qualifier)
        return named.replace("${AWS::AccountId}", stack.account).replace("${AWS::Region}", stack.region)

    def _repository_arn(self, uri: str) -> str:
        registry, name = uri.split("/", 1)
        account, _, _, region, *_ = registry.split(".")
        return Stack.of(self).format_arn(
            service="ecr", account=account, region=region, resource="repository", resource_name=name
        )
