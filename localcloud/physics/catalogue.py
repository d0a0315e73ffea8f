"""Immutable resources by name, with the answers that SageMaker gives about them."""

from typing import Generic, TypeVar

from localcloud.errors import AwsError
from localcloud.physics.records import Named

Resource = TypeVar("Resource", bound=Named)


def validation(message: str) -> AwsError:
    """Return the error that SageMaker answers nearly every refusal with."""
    return AwsError("ValidationException", message)


class Catalogue(Generic[Resource]):
    """Resources of one kind.

    Parameters
    ----------
    kind
        What SageMaker calls it in messages: ``endpoint configuration``.
    arn_prefix
        ARN up to the name.
    """

    def __init__(self, kind: str, arn_prefix: str) -> None:
        self.kind = kind
        self._arn_prefix = arn_prefix
        self._resources: dict[str, Resource] = {}

    def arn(self, name: str) -> str:
        """Return the ARN, which SageMaker writes in lower case."""
        return f"{self._arn_prefix}{name.lower()}"

    def check_free(self, name: str) -> None:
        """Refuse a name that is taken."""
        if name in self._resources:
            raise validation(f'Cannot create already existing {self.kind} "{self.arn(name)}".')

    def add(self, resource: Resource) -> None:
        """Add a resource whose name is free."""
        self.check_free(resource.name)
        self._resources[resource.name] = resource

    def get(self, name: str) -> Resource:
        """Return a resource, or refuse as SageMaker does."""
        if name not in self._resources:
            raise validation(f'Could not find {self.kind} "{self.arn(name)}".')
        return self._resources[name]

    def remove(self, name: str) -> Resource:
        """Remove a resource and return it."""
        resource = self.get(name)
        del self._resources[name]
        return resource

    def all(self) -> list[Resource]:
        """Return all resources."""
        return list(self._resources.values())
