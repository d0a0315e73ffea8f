"""Log groups with an end."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.config import Environment


def removal_policy(environment: Environment) -> RemovalPolicy:
    """Return what becomes of an environment's data when its stacks are destroyed.

    What a first create that failed has made goes all the same: it holds nothing, and its name would be taken.
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if environment.retain_data else RemovalPolicy.DESTROY


class RetainedLogs(logs.LogGroup):
    """A log group that keeps what the environment says, encrypted.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    environment
        Says how long logs are kept, and whether they outlive the stack.
    key
        Encrypts them.
    name
        Fixed name, where an AWS service looks for one.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, key: kms.IKey, name: str | None = None
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            log_group_name=name,
            encryption_key=key,
            removal_policy=removal_policy(environment),
        )
        resource = self.node.default_child
        assert isinstance(resource, logs.CfnLogGroup)
        resource.retention_in_days = environment.log_retention_days
