"""The role under which SageMaker's jobs of an endpoint run."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.constructs.app_assets import asset_models, asset_repository, find_assets, pull_images, read_baselines
from stacks.constructs.artefact_permissions import ArtefactPermissions
from stacks.constructs.permissions import allow
from stacks.constructs.principals import sagemaker
from stacks.names import Names

PROCESSING, TRAINING = "ProcessingJobs", "TrainingJobs"


class JobRole(iam.Role):
    """A role that reads and writes one endpoint's folders, pulls the app's images, and writes metrics and logs of jobs.

    The log groups are those that SageMaker makes, one for all jobs of a kind in the account.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    names
        Names in this stack.
    endpoint_name
        SageMaker name of the endpoint.
    kinds
        Kinds of jobs.
    reads, writes
        Folders of the artefact bucket; the empty one holds the endpoint's models.
    baseline
        What the bootstrap model was trained on.
    reads_bootstrap
        Whether it reads the bootstrap model itself as well.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        endpoint_name: str,
        kinds: Sequence[str],
        reads: Sequence[str],
        writes: Sequence[str],
        baseline: s3_assets.Asset | None,
        reads_bootstrap: bool = False,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"{' and '.join(kinds)} of {endpoint_name}",
            assumed_by=sagemaker(scope),
        )
        stack, artefacts = Stack.of(self), ArtefactPermissions(names, [endpoint_name])
        groups = [f"/aws/sagemaker/{kind}" for kind in kinds]
        statements = [
            artefacts.find(*dict.fromkeys([*reads, *writes])),
            artefacts.read(*reads),
            artefacts.write(*writes),
            artefacts.use_key_in_jobs(),
            find_assets(stack),
            *([allow("ReadBootstrapModels", ["s3:GetObject"], [asset_models(stack)])] if reads_bootstrap else []),
            *read_baselines(stack, [baseline]),
            allow(
                "WriteLog",
                ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                [names.log_arn(f"{group}:*") for group in groups],
            ),
            allow("PutMetrics", ["cloudwatch:PutMetricData"], ["*"], StringEquals={"cloudwatch:namespace": groups}),
            *pull_images([asset_repository(stack)]),
        ]
        for statement in statements:
            self.add_to_policy(statement)


def pass_to_sagemaker(roles: Sequence[iam.IRole]) -> iam.PolicyStatement:
    """Give jobs their roles."""
    only = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    return allow("PassJobRoles", ["iam:PassRole"], [role.role_arn for role in roles], StringEquals=only)
