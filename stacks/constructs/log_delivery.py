"""From a log group to a delivery stream: who sends, what is sent, and how it is unpacked."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs.permissions import allow

_Processor = firehose.CfnDeliveryStream.ProcessorProperty
_Parameter = firehose.CfnDeliveryStream.ProcessorParameterProperty


def sender(scope: Construct, about: str, sid: str, stream: firehose.CfnDeliveryStream) -> iam.Role:
    """Return the role under which CloudWatch Logs sends to a stream."""
    anything = Stack.of(scope).format_arn(service="logs", resource="*", arn_format=ArnFormat.NO_RESOURCE_NAME)
    role = iam.Role(
        scope,
        "Sender",
        description=about,
        assumed_by=iam.ServicePrincipal("logs.amazonaws.com", conditions={"StringLike": {"aws:SourceArn": anything}}),
    )
    role.add_to_policy(allow(sid, ["firehose:PutRecord", "firehose:PutRecordBatch"], [stream.attr_arn]))
    return role


def subscribe(
    scope: Construct,
    construct_id: str,
    log_group: logs.ILogGroup,
    stream: firehose.CfnDeliveryStream,
    role: iam.Role,
    pattern: str,
) -> None:
    """Send the lines of a log that match a pattern to a stream."""
    filtered = logs.CfnSubscriptionFilter(
        scope,
        construct_id,
        log_group_name=log_group.log_group_name,
        destination_arn=stream.attr_arn,
        role_arn=role.role_arn,
        filter_pattern=pattern,
    )
    # CloudWatch Logs tries it out at once.
    filtered.node.add_dependency(role)


def log_processors(*, on_lines: bool) -> list[_Processor]:
    """Return what unpacks log events, which come compressed, many to a record: what is stored are their messages.

    Parameters
    ----------
    on_lines
        Whether each is put on a line of its own.
    """
    told = {
        "Decompression": ("CompressionFormat", "GZIP"),
        "CloudWatchLogProcessing": ("DataMessageExtraction", "true"),
        **({"AppendDelimiterToRecord": ("Delimiter", "\\n")} if on_lines else {}),
    }
    return [
        _Processor(type=kind, parameters=[_Parameter(parameter_name=name, parameter_value=value)])
        for kind, (name, value) in told.items()
    ]
