"""The way of what a serving container captures by itself: from its log to the artefact bucket.

SageMaker ships a container's standard output to the endpoint's log group, also where the container may make no calls.
A subscription filter takes the lines of captured requests out of it, and a delivery stream collects them into objects.
"""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct, IDependable

from lambdas.contract import CAPTURE_ERRORS_PREFIX, CAPTURE_PREFIX, CONTAINER_CAPTURES
from stacks.config import Environment
from stacks.constructs.log_delivery import log_processors, sender, subscribe
from stacks.constructs.log_group import RetainedLogs, removal_policy
from stacks.constructs.permissions import allow

CAPTURED_LINES = '{ $.captureData.endpointInput.mode = "INPUT" }'
"""Nothing else that the container logs looks like it."""

_HOUR = "!{timestamp:yyyy/MM/dd/HH}/"
_SECONDS = 60
"""For which lines are collected: an object a minute is small enough to be soon there, and large enough to be few."""

_MEGABYTES = 64
_ERRORS_STREAM = "delivery"

_Destination = firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty


class ContainerCapture(Construct):
    """Subscription filter, delivery stream, and a role and a log for them.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    environment
        Says how long the stream's own log is kept.
    endpoint_name
        SageMaker name of the endpoint.
    log_group
        The endpoint's log.
    bucket, key
        Where captures go, and the key of all of it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        endpoint_name: str,
        log_group: logs.ILogGroup,
        bucket: s3.IBucket,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self._bucket, self._key = bucket, key
        self._captures = f"{CAPTURE_PREFIX}/{endpoint_name}/{CONTAINER_CAPTURES}/"
        self._errors = f"{CAPTURE_ERRORS_PREFIX}/{endpoint_name}/"
        self._log = RetainedLogs(self, "Log", environment=environment, key=key)
        errors = logs.CfnLogStream(
            self, "Errors", log_group_name=self._log.log_group_name, log_stream_name=_ERRORS_STREAM
        )
        errors.apply_removal_policy(removal_policy(environment))
        role = self._delivery_role(endpoint_name)
        self.stream = firehose.CfnDeliveryStream(
            self,
            "Stream",
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=(
                firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(
                    key_type="CUSTOMER_MANAGED_CMK", key_arn=key.key_arn
                )
            ),
            extended_s3_destination_configuration=self._destination(role),
        )
        self.stream.node.add_dependency(role, errors)
        about = f"Sends captured requests in the log of {endpoint_name} to their delivery stream"
        role = sender(self, about, "SendCaptures", self.stream)
        subscribe(self, "Lines", log_group, self.stream, role, CAPTURED_LINES)

    def follow(self, *others: IDependable) -> None:
        """Come after others, and go before them."""
        self.stream.node.add_dependency(*others)

    def _destination(self, role: iam.Role) -> _Destination:
        return _Destination(
            bucket_arn=self._bucket.bucket_arn,
            role_arn=role.role_arn,
            prefix=f"{self._captures}{_HOUR}",
            error_output_prefix=f"{self._errors}!{{firehose:error-output-type}}/{_HOUR}",
            file_extension=".jsonl",
            compression_format="UNCOMPRESSED",
            buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                interval_in_seconds=_SECONDS, size_in_m_bs=_MEGABYTES
            ),
            encryption_configuration=firehose.CfnDeliveryStream.EncryptionConfigurationProperty(
                kms_encryption_config=firehose.CfnDeliveryStream.KMSEncryptionConfigProperty(
                    awskms_key_arn=self._key.key_arn
                )
            ),
            processing_configuration=firehose.CfnDeliveryStream.ProcessingConfigurationProperty(
                enabled=True, processors=log_processors(on_lines=True)
            ),
            cloud_watch_logging_options=firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty(
                enabled=True, log_group_name=self._log.log_group_name, log_stream_name=_ERRORS_STREAM
            ),
        )

    def _delivery_role(self, endpoint_name: str) -> iam.Role:
        stack = Stack.of(self)
        role = iam.Role(
            self,
            "Role",
            description=f"Delivers what the containers of {endpoint_name} capture",
            assumed_by=iam.ServicePrincipal(
                "firehose.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
            ),
        )
        through_s3 = {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"}
        objects = [self._bucket.arn_for_objects(f"{folder}*") for folder in (self._captures, self._errors)]
        stream = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{self._log.log_group_name}:log-stream:{_ERRORS_STREAM}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        bucket_actions = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
        self._allow(
            role,
            [
                allow("WriteCaptures", ["s3:AbortMultipartUpload", "s3:PutObject"], objects),
                allow("FindBucket", bucket_actions, [self._bucket.bucket_arn]),
                allow(
                    "SealCaptures", ["kms:Decrypt", "kms:GenerateDataKey"], [self._key.key_arn], StringEquals=through_s3
                ),
                allow("WriteLog", ["logs:PutLogEvents"], [stream]),
            ],
        )
        return role

    @staticmethod
    def _allow(role: iam.Role, statements: Sequence[iam.PolicyStatement]) -> None:
        for statement in statements:
            role.add_to_policy(statement)
