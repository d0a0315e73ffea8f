"""What the functions of retraining may do."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from lambdas import contract
from lambdas.contract import CAPTURE_PREFIX, LABELS_PREFIX, RETRAINING_PREFIX
from stacks.config import Environment
from stacks.constructs.artefact_permissions import MODELS, ArtefactPermissions
from stacks.constructs.permissions import (
    EndpointPermissions,
    allow,
    keep_state,
    put_events,
    read_rollouts,
    signing,
    tell_people,
    use_key,
)
from stacks.constructs.retraining_pipeline import PIPELINE_JOBS
from stacks.names import Names

_PENDING = {"sagemaker:ModelApprovalStatus": contract.PACKAGE_PENDING}


class RetrainingPermissions:
    """Statements about the retrained endpoints of an environment.

    Parameters
    ----------
    names
        Names in the stack that holds the roles.
    environment
        Says which endpoints are retrained, and whose new versions nobody approves.
    table, key
        The table of retraining, and what encrypts it.
    """

    def __init__(self, names: Names, environment: Environment, table: dynamodb.Table, key: kms.IKey) -> None:
        self._names, self._table, self._key = names, table, key
        self._endpoints = [one.full_name(environment.environment) for one in environment.retrained]
        self._approved = [
            one.full_name(environment.environment)
            for one in environment.retrained
            if one.retraining is not None and one.retraining.approval == "automatic"
        ]
        self._artefacts = ArtefactPermissions(names, self._endpoints)
        self._packages = EndpointPermissions(names, self._endpoints)

    def pipeline_arn(self, endpoint_name: str) -> str:
        """Return the ARN of the pipeline that retrains an endpoint's model."""
        return self._names.sagemaker_arn("pipeline", self._names.pipeline(endpoint_name))

    def control(self) -> list[iam.PolicyStatement]:
        """Decide, start, follow and stop runs, and approve what they have found better where that is the rule."""
        every = self._names.parameters_arn(contract.retraining_parameter(self._names.environment, "").rstrip("/"))
        return [
            *self._both(),
            allow("FindSettings", ["ssm:GetParametersByPath"], [every]),
            keep_state(self._table, "GetItem", "PutItem"),
            use_key(self._key),
            *self._runs(),
            self._artefacts.find(CAPTURE_PREFIX, LABELS_PREFIX, RETRAINING_PREFIX),
            self._artefacts.read(RETRAINING_PREFIX),
            self._artefacts.write(RETRAINING_PREFIX),
            *self._approve(),
            put_events(self._names, contract.RETRAINING_EVENT_SOURCE),
            *tell_people(self._names),
        ]

    def conclude(self) -> list[iam.PolicyStatement]:
        """Register a model with its signature, waiting for approval: this function can approve nothing."""
        groups = [self._names.sagemaker_arn("model-package-group", name) for name in self._endpoints]
        packages = [self._names.sagemaker_arn("model-package", f"{name}/*") for name in self._endpoints]
        return [
            *self._both(),
            self._artefacts.find(RETRAINING_PREFIX, MODELS),
            self._artefacts.read(RETRAINING_PREFIX, MODELS),
            self._artefacts.write(RETRAINING_PREFIX, MODELS),
            self._packages.list_packages(),
            allow("Register", ["sagemaker:CreateModelPackage"], [*groups, *packages], StringEquals=_PENDING),
            signing(self._names, "SignModels", "Sign"),
        ]

    def _both(self) -> list[iam.PolicyStatement]:
        settings = [self._names.retraining_parameter_arn(name) for name in self._endpoints]
        return [
            allow("ReadSettings", ["ssm:GetParameter"], settings),
            *read_rollouts(self._names, self._endpoints, "GetItem"),
            *self._packages.describe_models(),
            self._packages.read_packages(),
            self._artefacts.use_key(),
        ]

    def _runs(self) -> list[iam.PolicyStatement]:
        pipelines = [self.pipeline_arn(name) for name in self._endpoints]
        executions = [f"{arn}/execution/*" for arn in pipelines]
        follow = ("DescribePipelineExecution", "ListPipelineExecutionSteps", "StopPipelineExecution")
        start = ("ListPipelineExecutions", "StartPipelineExecution")
        return [
            allow("StartRuns", [f"sagemaker:{action}" for action in start], pipelines),
            allow("FollowRuns", [f"sagemaker:{action}" for action in follow], executions),
            allow(
                "ReadLastWords",
                ["sagemaker:DescribeProcessingJob"],
                [self._names.sagemaker_arn("processing-job", PIPELINE_JOBS)],
            ),
        ]

    def _approve(self) -> list[iam.PolicyStatement]:
        packages = [self._names.sagemaker_arn("model-package", f"{name}/*") for name in self._approved]
        return [allow("ApproveByRule", ["sagemaker:UpdateModelPackage"], packages)] if packages else []
