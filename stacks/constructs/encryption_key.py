"""The key of a stack's data."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


class EncryptionKey(kms.Key):
    """A customer key, rotated yearly, that the named AWS services may use on this account's behalf only.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    description
        What it encrypts.
    alias
        Its alias, without ``alias/``.
    publishers
        Services that deliver to encrypted queues and topics, such as ``events.amazonaws.com``.
    removal_policy
        What becomes of it with the stack.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        alias: str,
        publishers: Sequence[str] = (),
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=description,
            alias=alias,
            enable_key_rotation=True,
            removal_policy=removal_policy,
        )
        self._allow_logs()
        for publisher in publishers:
            self._allow_publisher(publisher)

    def _allow_publisher(self, service: str) -> None:
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"Deliver{service.split('.')[0].capitalize()}",
                principals=[iam.ServicePrincipal(service)],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],  # in a key policy: this key
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )

    def _allow_logs(self) -> None:
        stack = Stack.of(self)
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EncryptLogs",
                principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": stack.format_arn(
                            service="logs",
                            resource="log-group",
                            resource_name="*",
                            arn_format=ArnFormat.COLON_RESOURCE_NAME,
                        )
                    }
                },
            )
        )
