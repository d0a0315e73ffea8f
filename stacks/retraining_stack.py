"""Retraining: what starts runs of the endpoints' pipelines, follows them, and registers what comes out of them."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas import contract
from lambdas.contract import LABELS_PREFIX
from stacks.config import Endpoint, Environment
from stacks.constructs.control_function import ControlFunction
from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.event_route import EventRoute
from stacks.constructs.heartbeat import Heartbeat
from stacks.constructs.job_image import JobImage
from stacks.constructs.log_group import removal_policy
from stacks.constructs.lost_events import LostEvents
from stacks.constructs.model_archive import bootstrap_baseline
from stacks.constructs.new_data import endpoints_with_new_data
from stacks.constructs.retrained_endpoint import RetrainedEndpoint
from stacks.constructs.retraining_permissions import RetrainingPermissions
from stacks.constructs.standing_faults import AnyFault
from stacks.constructs.state_table import StateTable
from stacks.constructs.work_queue import WorkQueue
from stacks.names import Names

_CONTROL_TIMEOUT = Duration.minutes(1)
_CONCLUDE_TIMEOUT = Duration.minutes(5)
_MEMORY_MEGABYTES = 1024
_PUBLISHERS = ("events.amazonaws.com",)


class RetrainingStack(Stack):
    """Table, queue and functions of an environment's retraining; parameter, pipeline and roles of each endpoint."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, functions: Path, root: Path
    ) -> None:
        super().__init__(scope, construct_id, termination_protection=environment.retain_data)
        self._environment = environment
        self._code = lambda_.Code.from_asset(str(functions))
        self._names = Names(self, environment.environment)
        self._endpoints = [endpoint.full_name(environment.environment) for endpoint in environment.retrained]
        self._key = self._encryption_key()
        table = contract.retraining_table(environment.environment)
        self._table = StateTable(self, "Table", name=table, environment=environment, key=self._key)
        topic = self._names.topic_arn
        self._lost = LostEvents(self, "LostEvents", holds="Events", key=self._key, topic_arn=topic)
        self._permissions = RetrainingPermissions(self._names, environment, self._table, self._key)
        image = JobImage(self, "Image", container="training", root=root)
        conclude = self._conclude()
        for endpoint in environment.retrained:
            self._endpoint(endpoint, image, conclude, root)
        self._retrain()
        self._sweep()

    def _encryption_key(self) -> EncryptionKey:
        name = self._environment.environment
        return EncryptionKey(
            self,
            "Key",
            description=f"State, queues and logs of the retraining of {name}",
            alias=f"tidegate-{name}-retraining",
            publishers=_PUBLISHERS,
            removal_policy=removal_policy(self._environment),
        )

    def _conclude(self) -> ControlFunction:
        about = "Registers a model that a run has found better, or says why it is not"
        function = self._function("conclude", about, _CONCLUDE_TIMEOUT)
        function.allow(*self._permissions.conclude())
        return function

    def _endpoint(self, endpoint: Endpoint, image: JobImage, conclude: ControlFunction, root: Path) -> None:
        scope = Construct(self, f"Endpoint-{endpoint.name}")
        RetrainedEndpoint(
            scope,
            "Retraining",
            environment=self._environment,
            endpoint=endpoint,
            names=self._names,
            root=root,
            image=image,
            register_arn=conclude.function.function_arn,
            baseline=bootstrap_baseline(scope, "Baseline", endpoint.bootstrap, root),
        )

    def _retrain(self) -> None:
        about = "Decides on what is told of when a model is trained anew, starts it and follows it"
        function = self._function("retrain", about, _CONTROL_TIMEOUT)
        function.allow(*self._permissions.control())
        queue = WorkQueue(
            self,
            "Requests",
            holds="Reasons for retraining",
            key=self._key,
            topic_arn=self._names.topic_arn,
            consumer_timeout=_CONTROL_TIMEOUT,
        )
        queue.feed(function)
        for name, pattern in self._patterns().items():
            route = EventRoute(
                self,
                name,
                description=f"{name} for the retraining of this environment",
                dead_letters=self._lost,
                pattern=pattern,
            )
            route.to_queue(queue.queue)

    def _patterns(self) -> dict[str, Mapping[str, object]]:
        own = {"account": [self.account], "detail": {"endpoint": self._endpoints}}  # a bus may take others' events
        patterns: dict[str, Mapping[str, object]] = {
            "DriftWindows": {
                "source": [contract.MONITORING_EVENT_SOURCE],
                "detail-type": [contract.DRIFT_WINDOW_DETAIL_TYPE],
                **own,
            },
            "Commands": {
                "source": [contract.OPERATOR_EVENT_SOURCE],
                "detail-type": [contract.RETRAIN_COMMAND_DETAIL_TYPE],
                **own,
            },
            "PipelineStates": {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
                "detail": {"pipelineArn": [self._permissions.pipeline_arn(name) for name in self._endpoints]},
            },
        }
        if with_new_data := endpoints_with_new_data(self._environment):
            patterns["NewLabels"] = {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [self._names.artefact_bucket]},
                    "object": {"key": [{"prefix": f"{LABELS_PREFIX}/{name}/"} for name in with_new_data]},
                },
            }
        return patterns

    def _sweep(self) -> None:
        """What is due by the clock, and what an event that got lost would have said."""
        about = "Looks at what is due, and at runs that are under way"
        function = self._function("sweep", about, _CONTROL_TIMEOUT, retried=False)
        function.allow(*self._permissions.control())
        route = EventRoute(
            self,
            "Sweeps",
            description="Starts the sweeper of retraining",
            dead_letters=self._lost,
            schedule="rate(1 minute)",
            max_age_seconds=60,
        )
        route.to_function(function.function)
        Heartbeat(
            self,
            "Heartbeat",
            function=function.function,
            stands_still="retraining",
            topic_arn=self._names.topic_arn,
        )
        AnyFault(
            self,
            "Faults",
            environment=self._environment.environment,
            handlers=("retrain", "sweep"),
            meaning="A run of retraining has failed, or something keeps runs from starting: see the functions' logs",
            topic_arn=self._names.topic_arn,
        )

    def _function(self, handler: str, description: str, timeout: Duration, *, retried: bool = True) -> ControlFunction:
        return ControlFunction(
            self,
            handler.capitalize(),
            handler=handler,
            description=description,
            environment=self._environment,
            code=self._code,
            key=self._key,
            variables={
                contract.ENV_TABLE: self._names.table,
                contract.ENV_RETRAINING_TABLE: self._table.table_name,
                contract.ENV_ARTEFACT_BUCKET: self._names.artefact_bucket,
                contract.ENV_TOPIC_ARN: self._names.topic_arn,
            },
            timeout=timeout,
            retried=retried,
            package="retraining",
            memory_megabytes=_MEMORY_MEGABYTES,
        )
