"""What puts answers of batches where they can be asked for by key: a function, and a state machine that calls it."""

from collections.abc import Mapping

from aws_cdk import Aws, Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas import contract
from stacks.config import Endpoint
from stacks.constructs.artefact_permissions import ArtefactPermissions
from stacks.constructs.front_door.door_function import DoorFunction
from stacks.constructs.front_door.loading_definition import MAP_LABEL, loading_definition
from stacks.constructs.front_door.shared import Shared
from stacks.constructs.log_group import RetainedLogs
from stacks.constructs.permissions import allow, use_key
from stacks.constructs.principals import step_functions
from stacks.constructs.state_machine import (
    log_and_trace,
    log_group_of,
    machine_arn,
    own_data,
    run_items,
    state_machine,
)
from stacks.names import Names

ANSWERS, RESULTS, LISTS = "part=0/*", "load/*", "loads/*"
"""What lies in the folder of a run: its answers, what became of them, and lists of what is left to load."""

_TIMEOUT = Duration.minutes(5)
_WHOLE_PROCESSOR = 1769


class BatchLoading(Construct):
    """A function and a state machine, with their roles and logs.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    shared
        What it shares with others.
    endpoint
        Whose batches they are.
    variables
        What the function is told.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, shared: Shared, endpoint: Endpoint, variables: Mapping[str, str]
    ) -> None:
        super().__init__(scope, construct_id)
        self._shared, self._name = shared, endpoint.full_name(shared.environment.environment)
        self._artefacts = ArtefactPermissions(shared.names, [self._name])
        self._load = DoorFunction(
            self,
            "Load",
            shared=shared,
            endpoint=endpoint.name,
            handler="load",
            description=f"Puts answers of batches of {self._name} under their keys",
            variables={name: variables[name] for name in (contract.ENV_FRONT_DOOR, contract.ENV_INFERENCE_TABLE)},
            timeout=_TIMEOUT,
            memory_megabytes=_WHOLE_PROCESSOR,
        )
        self._load.allow(*self._loading())
        self._make_machine()

    def _make_machine(self) -> None:
        name, shared = machine_of(self._name), self._shared
        logs = RetainedLogs(self, "Logs", environment=shared.environment, key=shared.key, name=log_group_of(name))
        role = iam.Role(
            self,
            "Role",
            assumed_by=step_functions(self),
            description=f"Puts answers of batches of {self._name} under their keys",
        )
        statements = [
            allow("ReadLists", ["s3:GetObject"], self._artefacts.files(contract.BATCH_PREFIX, LISTS)),
            self._artefacts.use_key(),
            allow("Load", ["lambda:InvokeFunction"], [self._load.function.function_arn]),
            *run_items(shared.names, name, MAP_LABEL),
            *own_data(shared.names, shared.key, name),
            *log_and_trace(),
        ]
        for statement in statements:
            role.add_to_policy(statement)
        definition = loading_definition(Aws.PARTITION, self._load.function.function_arn)
        state_machine(self, name=name, role=role, logs=logs, key=shared.key, definition=definition)

    def _loading(self) -> list[iam.PolicyStatement]:
        partitions = [f"PREDICTION#{self._name}#*"]
        return [
            allow("ReadAnswers", ["s3:GetObject"], self._artefacts.files(contract.BATCH_PREFIX, ANSWERS)),
            allow("WriteResults", ["s3:PutObject"], self._artefacts.files(contract.BATCH_PREFIX, RESULTS)),
            self._artefacts.use_key(),
            allow(
                "KeepAnswers",
                ["dynamodb:PutItem"],
                [self._shared.table.table_arn],
                **{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": partitions}},
            ),
            use_key(self._shared.key),
        ]


def machine_of(endpoint_name: str) -> str:
    """Return the name of the state machine that loads the answers of an endpoint's batches."""
    return f"tidegate-{endpoint_name}-load"


def start_loading(names: Names, endpoint_name: str) -> list[iam.PolicyStatement]:
    """Start executions, look at them, and stop them."""
    name = machine_of(endpoint_name)
    followed = [names.states_arn("execution", f"{name}:*")]
    return [
        allow("LoadAnswers", ["states:StartExecution"], [machine_arn(names, name)]),
        allow("FollowLoading", ["states:DescribeExecution", "states:StopExecution"], followed),
    ]
