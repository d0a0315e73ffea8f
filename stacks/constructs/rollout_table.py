"""Where rollouts are kept."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from lambdas import contract
from stacks.config import Environment
from stacks.constructs.log_group import removal_policy

_TEXT, _NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER


class RolloutTable(dynamodb.Table):
    """One item per endpoint and what belongs to it, with a sparse index of who is due.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    environment
        Says whether it outlives the stack.
    key
        Encrypts it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, key: kms.IKey) -> None:
        super().__init__(
            scope,
            construct_id,
            table_name=contract.table_name(environment.environment),
            partition_key=dynamodb.Attribute(name=contract.TABLE_PARTITION_KEY, type=_TEXT),
            sort_key=dynamodb.Attribute(name=contract.TABLE_SORT_KEY, type=_TEXT),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=contract.TABLE_EXPIRY,
            removal_policy=removal_policy(environment),
        )
        self.add_global_secondary_index(
            index_name=contract.WAKE_INDEX,
            partition_key=dynamodb.Attribute(name=contract.WAKE_INDEX_PARTITION_KEY, type=_TEXT),
            sort_key=dynamodb.Attribute(name=contract.WAKE_INDEX_SORT_KEY, type=_NUMBER),
            # Nothing more is read there, and whatever else it held would be written twice.
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=["name"],
        )
