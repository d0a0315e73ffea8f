"""Batches: files of rows that are answered as a whole."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas import contract
from stacks.config import Endpoint
from stacks.config.batches import Batches as Declared
from stacks.constructs.artefact_permissions import MODELS, ArtefactPermissions
from stacks.constructs.control_function import ControlFunction
from stacks.constructs.event_route import EventRoute
from stacks.constructs.front_door.batch_loading import BatchLoading, machine_of, start_loading
from stacks.constructs.front_door.door_function import DoorFunction
from stacks.constructs.front_door.permissions import FrontDoorPermissions
from stacks.constructs.front_door.shared import Shared
from stacks.constructs.permissions import EndpointPermissions, allow, put_events, read_rollouts, use_key
from stacks.constructs.standing_faults import AnyFault
from stacks.constructs.state_machine import machine_arn
from stacks.constructs.work_queue import WorkQueue

_TIMEOUT = Duration.minutes(1)
_HANDLER = "batch"


class Batches(Construct):
    """The function that runs batches, and what tells it: a schedule, operators, ended jobs, and each minute.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    shared
        What it shares with others.
    endpoint, batches
        The endpoint, and how its batches are run.
    permissions
        What the front door's functions may do.
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
        batches: Declared,
        permissions: FrontDoorPermissions,
        variables: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._shared, self._name = shared, endpoint.full_name(shared.environment.environment)
        served = batches.serve is not None
        machine = machine_arn(shared.names, machine_of(self._name))
        told = {**variables, contract.ENV_LOAD_MACHINE: machine} if served else variables
        self._function = self._run(endpoint.name, told)
        if served:
            BatchLoading(self, "Loading", shared=shared, endpoint=endpoint, variables=variables)
            self._function.allow(*permissions.know_signatures(), *start_loading(shared.names, self._name))
        queue = self._orders()
        queue.feed(self._function)
        self._listen(batches, queue.queue)
        AnyFault(
            self,
            "Faults",
            environment=shared.environment.environment,
            handlers=(_HANDLER,),
            meaning=f"A batch of {self._name} has failed, or cannot be run: see the function's log",
            topic_arn=shared.names.topic_arn,
        )

    def _run(self, endpoint: str, variables: Mapping[str, str]) -> ControlFunction:
        function = DoorFunction(
            self,
            "Run",
            shared=self._shared,
            endpoint=endpoint,
            handler=_HANDLER,
            description=f"Runs batches of {self._name}",
            variables=variables,
            timeout=_TIMEOUT,
        )
        function.allow(*self._permissions())
        return function

    def _orders(self) -> WorkQueue:
        return WorkQueue(
            self,
            "Orders",
            holds=f"Orders to run batches of {self._name}",
            key=self._shared.key,
            topic_arn=self._shared.names.topic_arn,
            consumer_timeout=_TIMEOUT,
        )

    def _listen(self, batches: Declared, orders: sqs.Queue) -> None:
        own = {"account": [self._shared.names.stack.account], "detail": {"endpoint": [self._name]}}
        patterns: dict[str, Mapping[str, object]] = {
            "Commands": {
                "source": [contract.OPERATOR_EVENT_SOURCE],
                "detail-type": [contract.BATCH_COMMAND_DETAIL_TYPE],
                **own,
            },
            "JobStates": {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Transform Job State Change"],
                "detail": {"TransformJobName": [{"prefix": contract.batch_job_prefix(self._name)}]},
            },
        }
        for name, pattern in patterns.items():
            self._route(name, pattern=pattern).to_queue(orders)
        # What an event that got lost would have said.
        self._route("Sweeps", schedule="rate(1 minute)", max_age_seconds=60).to_function(self._function.function)
        if batches.schedule_hours is not None:
            plural = "s" * (batches.schedule_hours > 1)
            due = f"rate({batches.schedule_hours} hour{plural})"
            self._route("Schedule", schedule=due, told=_OCCASION).to_queue(orders)

    def _route(self, name: str, **when: object) -> EventRoute:
        about = f"{name} for the batches of {self._name}"
        return EventRoute(self, name, description=about, dead_letters=self._shared.lost, **when)  # type: ignore[arg-type]

    def _permissions(self) -> list[iam.PolicyStatement]:
        names, name = self._shared.names, self._name
        artefacts, models = ArtefactPermissions(names, [name]), EndpointPermissions(names, [name])
        own = f"{contract.batch_job_prefix(name)}*"
        jobs, own_models = names.sagemaker_arn("transform-job", own), names.sagemaker_arn("model", own)
        actions = ["AddTags", "CreateTransformJob", "DescribeTransformJob", "StopTransformJob"]
        return [
            *read_rollouts(names, [name], "GetItem"),
            allow(
                "KeepRuns",
                ["dynamodb:GetItem", "dynamodb:PutItem"],
                [self._shared.table.table_arn],
                **{"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"BATCH#{name}"]}},
            ),
            # Models, to know whether they are what was signed.
            artefacts.find(MODELS, contract.BATCH_PREFIX, contract.BATCH_INPUT_PREFIX),
            artefacts.read(MODELS, contract.BATCH_PREFIX),
            artefacts.write(contract.BATCH_PREFIX),
            artefacts.use_key(),
            *models.describe_models(),
            allow("MakeModels", ["sagemaker:CreateModel", "sagemaker:DeleteModel"], [own_models]),
            models.pass_execution_roles(),
            allow("RunJobs", [f"sagemaker:{action}" for action in actions], [jobs]),
            put_events(names, contract.INFERENCE_EVENT_SOURCE),
            use_key(self._shared.key),
        ]


_OCCASION = events.CfnRule.InputTransformerProperty(
    input_paths_map={"id": "$.id", "time": "$.time"}, input_template='{"batch": {"id": <id>, "time": <time>}}'
)
