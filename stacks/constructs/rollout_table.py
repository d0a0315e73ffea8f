"""Where rollouts are kept."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from lambdas import contract
from stacks.config import Environment
from stacks.constructs.state_table import TEXT, StateTable


class RolloutTable(StateTable):
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
        name = contract.table_name(environment.environment)
        super().__init__(scope, construct_id, name=name, environment=environment, key=key)
        self.add_global_secondary_index(
            index_name=contract.WAKE_INDEX,
            partition_key=dynamodb.Attribute(name=contract.WAKE_INDEX_PARTITION_KEY, type=TEXT),
            sort_key=dynamodb.Attribute(name=contract.WAKE_INDEX_SORT_KEY, type=dynamodb.AttributeType.NUMBER),
            # Nothing more is read there, and whatever else it held would be written twice.
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=["name"],
        )
