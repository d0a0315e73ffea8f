"""State machines: their settings, and what their roles need for whatever they run."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.log_group import RetainedLogs
from stacks.constructs.permissions import allow
from stacks.names import Names

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


def log_group_of(machine: str) -> str:
    """Return the name of a machine's log group, which takes up no room in the account's one policy for log delivery."""
    return f"/aws/vendedlogs/states/{machine}"


def state_machine(
    scope: Construct, *, name: str, role: iam.Role, logs: RetainedLogs, key: kms.IKey, definition: Mapping[str, Any]
) -> sfn.CfnStateMachine:
    """Make the state machine of a construct.

    Parameters
    ----------
    scope
        The construct.
    name
        What it is called.
    role
        What it runs under.
    logs
        Where it says what it does.
    key
        Encrypts the data of its executions.
    definition
        In the Amazon States Language.
    """
    destination = sfn.CfnStateMachine.LogDestinationProperty(
        cloud_watch_logs_log_group=sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(log_group_arn=logs.log_group_arn)
    )
    machine = sfn.CfnStateMachine(
        scope,
        "StateMachine",
        state_machine_name=name,
        state_machine_type="STANDARD",
        role_arn=role.role_arn,
        definition_string=Stack.of(scope).to_json_string(definition),
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
    return machine


def machine_arn(names: Names, machine: str) -> str:
    """Return a state machine's ARN."""
    return names.states_arn("stateMachine", machine)


def executions(names: Names, machine: str, label: str) -> list[str]:
    """Return executions of a machine, and those of its Map's items, whose ARNs name the map's label as well."""
    return [names.states_arn("execution", f"{machine}{part}:*") for part in ("", f"/{label}")]


def run_items(names: Names, machine: str, label: str) -> list[iam.PolicyStatement]:
    """Run an execution of its own for each item, as Distributed Map does."""
    return [
        allow("StartParts", ["states:StartExecution"], [machine_arn(names, machine)]),
        allow("FollowParts", ["states:DescribeExecution", "states:StopExecution"], executions(names, machine, label)),
    ]


def own_data(names: Names, key: kms.IKey, machine: str) -> list[iam.PolicyStatement]:
    """Read and write what its executions hold, and what goes to their log."""
    held = {"kms:EncryptionContext:aws:states:stateMachineArn": machine_arn(names, machine)}
    logs = {"kms:EncryptionContext:SourceArn": names.arn("logs", "*", None)}
    return [
        allow("SealExecutions", ["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn], StringEquals=held),
        allow("SealLogs", ["kms:GenerateDataKey"], [key.key_arn], StringEquals=logs),
    ]


def log_and_trace() -> list[iam.PolicyStatement]:
    """Deliver logs and traces; AWS ties neither to resources."""
    return [
        allow("DeliverLogs", [f"logs:{action}" for action in _LOG_DELIVERY], ["*"]),
        allow("Trace", [f"xray:{action}" for action in _TRACING], ["*"]),
    ]
