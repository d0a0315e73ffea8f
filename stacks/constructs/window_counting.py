"""The state machine that counts windows which are too large for one machine."""

from collections.abc import Sequence

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
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
from stacks.names import Names

PARTS_FILE = "parts.json"
"""What the monitor writes the parts of a window to."""

_LOG_DELIVERY = (
    "CreateLogDelivery",
    "DeleteLogDelivery",
    "DescribeLogGroups",
    "DescribeResourcePolicies",
    "GetLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "UpdateLogDelivery",
)
_TRACING = ("GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments")


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
        # Under this prefix, the log group takes up no room in the account's one resource policy for log delivery.
        group = f"/aws/vendedlogs/states/{name}"
        logs = RetainedLogs(self, "Logs", environment=environment, key=key, name=group)
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
            *_run_parts(names),
            allow("Merge", ["lambda:InvokeFunction"], [merge.function_arn]),
            *_own_data(names, key),
            # AWS ties neither to resources.
            allow("DeliverLogs", [f"logs:{action}" for action in _LOG_DELIVERY], ["*"]),
            allow("Trace", [f"xray:{action}" for action in _TRACING], ["*"]),
        ]
        for statement in statements:
            role.add_to_policy(statement)
        definition = counting_definition(Aws.PARTITION, merge.function_arn)
        destination = sfn.CfnStateMachine.LogDestinationProperty(
            cloud_watch_logs_log_group=sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                log_group_arn=logs.log_group_arn
            )
        )
        machine = sfn.CfnStateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            state_machine_type="STANDARD",
            role_arn=role.role_arn,
            definition_string=Stack.of(self).to_json_string(definition),
            logging_configuration=sfn.CfnStateMachine.LoggingConfigurationProperty(
                level="ALL", include_execution_data=False, destinations=[destination]
            ),
            tracing_configuration=sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True),
            encryption_configuration=sfn.CfnStateMachine.EncryptionConfigurationProperty(
                type="CUSTOMER_MANAGED_KMS_KEY", kms_key_id=key.key_arn, kms_data_key_reuse_period_seconds=300
            ),
        )
        # Step Functions looks at what the role may do when the state machine is made.
        machine.node.add_dependency(role)


_JOB_ACTIONS = ("AddTags", "CreateProcessingJob", "DescribeProcessingJob", "StopProcessingJob")


def start_counting(names: Names) -> list[iam.PolicyStatement]:
    """Start executions, look at them, and at why their parts failed."""
    return [
        allow("CountInParts", ["states:StartExecution"], [names.counting_arn]),
        allow("LookAtParts", ["states:DescribeExecution", "states:ListMapRuns"], _executions(names)),
        allow("FindFailedParts", ["states:ListExecutions"], [names.states_arn("mapRun", f"{names.counting}/*")]),
    ]


def _run_parts(names: Names) -> list[iam.PolicyStatement]:
    """Run an execution of its own for each part, as Distributed Map does."""
    return [
        allow("StartParts", ["states:StartExecution"], [names.counting_arn]),
        allow("FollowParts", ["states:DescribeExecution", "states:StopExecution"], _executions(names)),
    ]


def _executions(names: Names) -> list[str]:
    """Return executions for windows, and those for parts, whose ARNs name the map's label as well."""
    return [names.states_arn("execution", f"{names.counting}{label}:*") for label in ("", f"/{MAP_LABEL}")]


def _await_jobs(names: Names) -> iam.PolicyStatement:
    """Hear of the ends of jobs, by the one rule that Step Functions makes for that in an account."""
    rule = names.arn("events", "rule", "StepFunctionsGetEventsForSageMakerProcessingJobsRule")
    return allow("AwaitJobs", ["events:DescribeRule", "events:PutRule", "events:PutTargets"], [rule])


def _own_data(names: Names, key: kms.IKey) -> list[iam.PolicyStatement]:
    """Read and write what its executions hold, and what goes to their log."""
    executions = {"kms:EncryptionContext:aws:states:stateMachineArn": names.counting_arn}
    logs = {"kms:EncryptionContext:SourceArn": names.arn("logs", "*", None)}
    return [
        allow("SealExecutions", ["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn], StringEquals=executions),
        allow("SealLogs", ["kms:GenerateDataKey"], [key.key_arn], StringEquals=logs),
    ]
