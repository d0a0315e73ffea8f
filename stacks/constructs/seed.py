"""Values that stay what they were when their resource was created."""

from collections.abc import Mapping

from aws_cdk import CfnResource, CustomResource, Duration
from constructs import Construct

from lambdas import contract


class Seed(CustomResource):
    """Records on creation, and whenever its key changes, what it is given, and answers with that ever after.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    key
        Under which the values are recorded; it is the physical id.
    service_token
        ARN of the function behind it.
    values
        What is recorded; texts, as CloudFormation carries nothing else.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: str, service_token: str, values: Mapping[str, str]
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            resource_type=contract.SEED_RESOURCE_TYPE,
            service_token=service_token,
            service_timeout=Duration.minutes(5),
            properties={"Key": key, **values},
        )

    @property
    def nonce(self) -> str:
        """Return what no other record shares: a part for the names of what is made from the values."""
        return self.value(contract.SEED_NONCE)

    def record_anew_for(self, key: str) -> None:
        """Record under another key than was given at first."""
        resource = self.node.default_child
        assert isinstance(resource, CfnResource)
        resource.add_property_override("Key", key)

    def value(self, name: str) -> str:
        """Return what was recorded under `name`."""
        return self.get_att_string(name)
