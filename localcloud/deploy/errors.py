"""What can go wrong while a cloud assembly is deployed."""

from botocore.exceptions import ClientError


class DeployError(Exception):
    """Base of everything that this package raises."""


class AssemblyError(DeployError):
    """The cloud assembly cannot be read, or needs what only the CDK command line does (context look-ups)."""


class TemplateError(DeployError):
    """A template says something that CloudFormation would refuse: an unknown reference, a cycle, a bad function."""


class UnsupportedError(DeployError):
    """A resource type, property or function that CloudFormation has and the local cloud does not handle."""


class ResourceFailedError(DeployError):
    """A resource could not be created, updated or deleted; the message is the reason of the stack event."""


class UpdateRefusedError(ResourceFailedError):
    """An update was refused before anything was touched, so there is nothing to roll back."""


class StackStateError(DeployError):
    """The stack is in a state, or in use, so that the operation cannot start."""


class DeployFailedError(DeployError):
    """A stack failed to deploy and was rolled back (or failed to be deleted).

    Parameters
    ----------
    stack
        Name of the stack.
    status
        Its status now, such as ``UPDATE_ROLLBACK_COMPLETE``.
    reason
        Which resource failed, and why.
    """

    def __init__(self, stack: str, status: str, reason: str) -> None:
        super().__init__(f"stack {stack} is {status}: {reason}")
        self.stack = stack
        self.status = status
        self.reason = reason


def explain(error: Exception) -> str:
    """Return the reason that a stack event gives for `error`."""
    if isinstance(error, ClientError):
        detail = error.response.get("Error", {})
        return f"{detail.get('Message', error)} (Code: {detail.get('Code', '?')}, {error.operation_name})"
    if isinstance(error, DeployError):
        return str(error)
    return f"{type(error).__name__}: {error}"
