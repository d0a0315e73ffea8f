"""The state machine that counts windows which are too large for one machine."""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas import contract
from lambdas.contract import MONITORING_PREFIX
from stacks.config import Environment
from stacks.constructs.artefact_permissions import ArtefactPermissions
from stacks.constructs.counting_definition import MAP_LABEL, counting_definition
from stacks.constructs.job_role import pass_to_sagemaker
from stacks.constructs.log_group import RetainedLogs
from stacks.constructs.permissions import allow
from stacks.constructs.principals import step_functions
from stacks.constructs.state_machine import (
    executions,
    log_and_trace,
    log_group_of,
    own_data,
    run_items,
    state_machine,
)
from stacks.names import Names

PARTS_FILE = "parts.json"
"""What the monitor writes the parts of a window to."""


class WindowCounting(Construct):
    """A state machine, its role and its log.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    environment
        The environment it belongs to.
    names
        Names in this stack.
    endpoints
        SageMaker names of the endpoints whose windows it counts.
    job_roles
        Roles of the jobs that count parts.
    merge
        Function that merges what they have counted.
    key
        Encrypts its log and the data of its executions.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        names: Names,
        endpoints: Sequence[str],
        job_roles: Sequence[iam.IRole],
        merge: lambda_.IFunction,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        name = names.counting
        logs = RetainedLogs(self, "Logs", environment=environment, key=key, name=log_group_of(name))
        role = iam.Role(
            self,
            "Role",
            assumed_by=step_functions(self),
            description=f"Counts large windows of {environment.environment}",
        )
        artefacts = ArtefactPermissions(names, endpoints)
        jobs = [names.sagemaker_arn("processing-job", f"{contract.counting_job_prefix(one)}*") for one in endpoints]
        statements = [
            allow("ReadParts", ["s3:GetObject"], artefacts.files(MONITORING_PREFIX, PARTS_FILE)),
            artefacts.use_key(),
            allow("CountParts", [f"sagemaker:{action}" for action in _JOB_ACTIONS], jobs),
            pass_to_sagemaker(job_roles),
            _await_jobs(names),
            *run_items(names, name, MAP_LABEL),
            allow("Merge", ["lambda:InvokeFunction"], [merge.function_arn]),
            *own_data(names, key, name),
            *log_and_trace(),
        ]
        for statement in statements:
            role.add_to_policy(statement)
        definition = counting_definition(Aws.PARTITION, merge.function_arn)
        state_machine(self, name=name, role=role, logs=logs, key=key, definition=definition)


_JOB_ACTIONS = ("AddTags", "CreateProcessingJob", "DescribeProcessingJob", "StopProcessingJob")


def start_counting(names: Names) -> list[iam.PolicyStatement]:
    """Start executions, look at them, and at why their parts failed."""
    found = executions(names, names.counting, MAP_LABEL)
    return [
        allow("CountInParts", ["states:StartExecution"], [names.counting_arn]),
        allow("LookAtParts", ["states:DescribeExecution", "states:ListMapRuns"], found),
        allow("FindFailedParts", ["states:ListExecutions"], [names.states_arn("mapRun", f"{names.counting}/*")]),
    ]


def _await_jobs(names: Names) -> iam.PolicyStatement:
    """Hear of the ends of jobs, by the one rule that Step Functions makes for that in an account."""
    rule = names.arn("events", "rule", "StepFunctionsGetEventsForSageMakerProcessingJobsRule")
    return allow("AwaitJobs", ["events:DescribeRule", "events:PutRule", "events:PutTargets"], [rule])
