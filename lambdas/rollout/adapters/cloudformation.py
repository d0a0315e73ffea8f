"""What CloudFormation is doing with a stack."""

from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated


class Stacks:
    """Stacks of the account."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("cloudformation")

    def status(self, identity: str) -> str:
        """Return the status of a stack, such as ``UPDATE_COMPLETE_CLEANUP_IN_PROGRESS``."""
        with translated():
            described = self._client().describe_stacks(StackName=identity)
        return str(described["Stacks"][0]["StackStatus"])
