"""What outlives the endpoints: artefacts, model packages, and the roles and logs of what runs on them."""

from pathlib import Path

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from lambdas import contract
from stacks.config import Endpoint, Environment
from stacks.constructs.artefact_store import ArtefactStore
from stacks.constructs.container_capture import ContainerCapture
from stacks.constructs.control_function import ControlFunction
from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.execution_role import ExecutionRole
from stacks.constructs.jobs_permissions import answering_jobs
from stacks.constructs.log_group import RetainedLogs, removal_policy
from stacks.constructs.permissions import EndpointPermissions, allow
from stacks.constructs.signing_key import SigningKey
from stacks.names import Names


class RegistryStack(Stack):
    """The artefact bucket, the signing key, and a package group, an execution role and a log group per endpoint."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, functions: Path) -> None:
        super().__init__(scope, construct_id, termination_protection=environment.retain_data)
        self._environment = environment
        self._names = Names(self, environment.environment)
        self._key = EncryptionKey(
            self,
            "Key",
            description=f"Models, captured traffic and logs of {environment.environment}",
            alias=self._names.registry_key,
            removal_policy=removal_policy(environment),
        )
        self._store = ArtefactStore(
            self, "Artefacts", name=self._names.artefact_bucket, environment=environment, key=self._key
        )
        SigningKey(
            self,
            "SigningKey",
            environment=environment.environment,
            alias=self._names.signing_key,
            removal_policy=removal_policy(environment),
        )
        self._captures: list[ContainerCapture] = []
        groups = [self._endpoint(endpoint) for endpoint in environment.endpoints]
        if not environment.retain_data:
            self._empty_on_removal(lambda_.Code.from_asset(str(functions)), groups)

    def _endpoint(self, endpoint: Endpoint) -> sagemaker.CfnModelPackageGroup:
        name = endpoint.full_name(self._environment.environment)
        scope = Construct(self, f"Endpoint-{endpoint.name}")
        group = sagemaker.CfnModelPackageGroup(
            scope,
            "Packages",
            model_package_group_name=name,
            model_package_group_description=f"Versions of the model behind {name}; approving one deploys it",
        )
        group.apply_removal_policy(removal_policy(self._environment))
        logs = RetainedLogs(
            scope, "Logs", environment=self._environment, key=self._key, name=f"/aws/sagemaker/Endpoints/{name}"
        )
        ExecutionRole(
            scope,
            "Role",
            name=self._names.execution_role(name),
            endpoint_name=name,
            bucket=self._store.bucket,
            key=self._key,
            log_group=logs,
            image_repositories=endpoint.image_repositories,
            runs_batches=endpoint.front_door is not None and endpoint.front_door.batch is not None,
            more=self._answering_jobs(scope, endpoint) if endpoint.has_jobs_endpoint else (),
        )
        if endpoint.fleet.captures_itself:
            self._captures.append(self._capture(scope, name, logs))
        return group

    def _answering_jobs(self, scope: Construct, endpoint: Endpoint) -> list[iam.PolicyStatement]:
        name = contract.jobs_endpoint(endpoint.full_name(self._environment.environment))
        logs = RetainedLogs(
            scope, "JobsLogs", environment=self._environment, key=self._key, name=f"/aws/sagemaker/Endpoints/{name}"
        )
        return answering_jobs(self._names, endpoint, self._store.bucket, logs)

    def _capture(self, scope: Construct, name: str, logs: RetainedLogs) -> ContainerCapture:
        return ContainerCapture(
            scope,
            "Capture",
            environment=self._environment,
            endpoint_name=name,
            log_group=logs,
            bucket=self._store.bucket,
            key=self._key,
        )

    def _empty_on_removal(self, code: lambda_.Code, groups: list[sagemaker.CfnModelPackageGroup]) -> None:
        """Neither buckets nor groups can be deleted while anything is in them."""
        buckets = [self._store.bucket, self._store.access_logs]
        function = ControlFunction(
            self,
            "Empty",
            handler="empty",
            description="Empties the registry when it is destroyed",
            environment=self._environment,
            code=code,
            key=self._key,
            variables={},
            timeout=Duration.minutes(15),
        )
        permissions = EndpointPermissions(self._names, [group.model_package_group_name for group in groups])
        function.allow(
            allow("ListObjects", ["s3:ListBucketVersions"], [bucket.bucket_arn for bucket in buckets]),
            allow(
                "DeleteObjects",
                ["s3:DeleteObject", "s3:DeleteObjectVersion"],
                [bucket.arn_for_objects("*") for bucket in buckets],
            ),
            permissions.list_packages(),
            permissions.delete_packages(),
            # It empties only when the whole stack goes.
            allow("DescribeOwnStack", ["cloudformation:DescribeStacks"], [self.stack_id]),
        )
        emptied = CustomResource(
            self,
            "Emptied",
            resource_type=contract.EMPTY_RESOURCE_TYPE,
            service_token=function.function.function_arn,
            service_timeout=Duration.minutes(20),
            removal_policy=RemovalPolicy.DESTROY,
            properties={
                "BucketNames": [bucket.bucket_name for bucket in buckets],
                "ModelPackageGroups": [group.model_package_group_name for group in groups],
            },
        )
        emptied.node.add_dependency(*buckets, *groups, function)
        for capture in self._captures:  # while there is one, it writes
            capture.follow(emptied)
