"""The drift monitor: what compares an endpoint's traffic with what its model was trained on."""

from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas import contract
from lambdas.contract import CAPTURE_PREFIX, LABELS_PREFIX, MONITORING_PREFIX
from stacks.config import Endpoint, Environment
from stacks.constructs.app_assets import read_baselines
from stacks.constructs.artefact_permissions import MODELS, ArtefactPermissions
from stacks.constructs.control_function import ControlFunction
from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.job_image import JobImage
from stacks.constructs.job_role import PROCESSING, JobRole, pass_to_sagemaker
from stacks.constructs.log_group import removal_policy
from stacks.constructs.lost_events import LostEvents
from stacks.constructs.model_archive import bootstrap_baseline
from stacks.constructs.monitored_endpoint import MonitoredEndpoint
from stacks.constructs.permissions import EndpointPermissions, allow, keep_state, put_events, read_rollouts, use_key
from stacks.constructs.standing_faults import AnyFault
from stacks.constructs.state_table import StateTable
from stacks.constructs.window_counting import WindowCounting, start_counting
from stacks.names import Names

_TIMEOUT = Duration.minutes(5)
_MEMORY_MEGABYTES = 1024
_PUBLISHERS = ("events.amazonaws.com", "delivery.logs.amazonaws.com")


class MonitoringStack(Stack):
    """Table, function and job image of an environment's monitors; parameter, schedule, role and alarms of each."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, functions: Path, root: Path
    ) -> None:
        super().__init__(scope, construct_id, termination_protection=environment.retain_data)
        self._environment = environment
        self._names = Names(self, environment.environment)
        self._endpoints = [endpoint.full_name(environment.environment) for endpoint in environment.monitored]
        self._artefacts = ArtefactPermissions(self._names, self._endpoints)
        self._key = self._encryption_key()
        table = contract.monitoring_table(environment.environment)
        self._table = StateTable(self, "Table", name=table, environment=environment, key=self._key)
        self._lost = LostEvents(self, "LostRuns", holds="Runs", key=self._key, topic_arn=self._names.topic_arn)
        self._image = JobImage(self, "Image", container="monitoring", root=root)
        function = self._monitor(functions)
        watched = [self._watch(endpoint, root) for endpoint in environment.monitored]
        function.allow(
            pass_to_sagemaker([one.job_role for one in watched]),
            *read_baselines(self, [one.baseline for one in watched]),
        )
        self._count_in_parts(functions, [one.job_role for one in watched])
        for one in watched:
            one.run(function.function, self._lost)

    def _encryption_key(self) -> EncryptionKey:
        name = self._environment.environment
        return EncryptionKey(
            self,
            "Key",
            description=f"Findings, queues and logs of the drift monitor of {name}",
            alias=f"tidegate-{name}-monitoring",
            publishers=_PUBLISHERS,
            removal_policy=removal_policy(self._environment),
        )

    def _monitor(self, functions: Path) -> ControlFunction:
        function = ControlFunction(
            self,
            "Monitor",
            handler="monitor",
            description="Compares windows of traffic with what the live model was trained on",
            environment=self._environment,
            code=lambda_.Code.from_asset(str(functions)),
            key=self._key,
            variables={
                contract.ENV_TABLE: self._names.table,
                contract.ENV_MONITORING_TABLE: self._table.table_name,
                contract.ENV_ARTEFACT_BUCKET: self._names.artefact_bucket,
            },
            timeout=_TIMEOUT,
            package="monitoring",
            memory_megabytes=_MEMORY_MEGABYTES,
        )
        function.keep_failures(self._lost.queue)
        AnyFault(
            self,
            "Faults",
            environment=self._environment.environment,
            handlers=["monitor"],
            meaning="The drift monitor has met a fault that a person must put right: see its log",
            topic_arn=self._names.topic_arn,
        )
        function.allow(
            *self._count(), *self._find_baselines(), *self._start_jobs(), *start_counting(self._names), *self._tell()
        )
        return function

    def _count(self) -> list[iam.PolicyStatement]:
        settings = [self._names.monitoring_parameter_arn(name) for name in self._endpoints]
        return [
            allow("ReadSettings", ["ssm:GetParameter"], settings),
            self._artefacts.find(CAPTURE_PREFIX, LABELS_PREFIX, MONITORING_PREFIX, MODELS),
            self._artefacts.read(CAPTURE_PREFIX, LABELS_PREFIX, MONITORING_PREFIX, MODELS),
            self._artefacts.write(MONITORING_PREFIX),
            self._artefacts.use_key(),
            keep_state(self._table, "GetItem", "PutItem", "Query"),
            use_key(self._key),
        ]

    def _find_baselines(self) -> list[iam.PolicyStatement]:
        packages = EndpointPermissions(self._names, self._endpoints).read_packages()
        return [*read_rollouts(self._names, self._endpoints, "GetItem"), packages]

    def _start_jobs(self) -> list[iam.PolicyStatement]:
        prefixes = map(contract.counting_job_prefix, self._endpoints)
        jobs = [self._names.sagemaker_arn("processing-job", f"{prefix}*") for prefix in prefixes]
        actions = ["sagemaker:AddTags", "sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob"]
        return [allow("CountInJobs", actions, jobs)]

    def _count_in_parts(self, functions: Path, job_roles: list[iam.IRole]) -> None:
        merge = ControlFunction(
            self,
            "Merge",
            handler="merge",
            description="Merges what the parts of a large window held",
            environment=self._environment,
            code=lambda_.Code.from_asset(str(functions)),
            key=self._key,
            variables={},
            timeout=_TIMEOUT,
            package="monitoring",
            memory_megabytes=_MEMORY_MEGABYTES,
        )
        merge.allow(
            self._artefacts.find(MONITORING_PREFIX),
            self._artefacts.read(MONITORING_PREFIX),
            self._artefacts.write(MONITORING_PREFIX),
            self._artefacts.use_key(),
        )
        WindowCounting(
            self,
            "LargeWindows",
            environment=self._environment,
            names=self._names,
            endpoints=self._endpoints,
            job_roles=job_roles,
            merge=merge.function,
            key=self._key,
        )

    def _tell(self) -> list[iam.PolicyStatement]:
        namespace = {"cloudwatch:namespace": contract.METRIC_NAMESPACE}
        return [
            allow("PutMetrics", ["cloudwatch:PutMetricData"], ["*"], StringEquals=namespace),
            put_events(self._names, contract.MONITORING_EVENT_SOURCE),
        ]

    def _watch(self, endpoint: Endpoint, root: Path) -> MonitoredEndpoint:
        scope = Construct(self, f"Endpoint-{endpoint.name}")
        baseline = bootstrap_baseline(scope, "Baseline", endpoint.bootstrap, root)
        role = JobRole(
            Construct(scope, "Job"),
            "Role",
            names=self._names,
            endpoint_name=endpoint.full_name(self._environment.environment),
            kinds=[PROCESSING],
            reads=[CAPTURE_PREFIX, LABELS_PREFIX, MONITORING_PREFIX, MODELS],
            writes=[MONITORING_PREFIX],
            baseline=baseline,
        )
        return MonitoredEndpoint(
            scope,
            "Watch",
            endpoint=endpoint,
            names=self._names,
            image=self._image.image_uri,
            job_role=role,
            baseline=baseline,
        )
