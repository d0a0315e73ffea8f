"""A table of state, and what happened to it."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from lambdas import contract
from stacks.config import Environment
from stacks.constructs.log_group import removal_policy

TEXT = dynamodb.AttributeType.STRING


class StateTable(dynamodb.Table):
    """An encrypted, recoverable table of items that may expire, paid for by request.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    name
        Its fixed name, by which the command line reads it.
    environment
        Says whether it outlives the stack.
    key
        Encrypts it.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, environment: Environment, key: kms.IKey
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            table_name=name,
            partition_key=dynamodb.Attribute(name=contract.TABLE_PARTITION_KEY, type=TEXT),
            sort_key=dynamodb.Attribute(name=contract.TABLE_SORT_KEY, type=TEXT),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=contract.TABLE_EXPIRY,
            removal_policy=removal_policy(environment),
        )
