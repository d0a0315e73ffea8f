"""The resource types that the local cloud deploys."""

from functools import cache
from typing import ClassVar

from localcloud.deploy.custom_resource import CustomResource
from localcloud.deploy.errors import UnsupportedError
from localcloud.deploy.inert import INERT_TYPES
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources import RESOURCE_TYPES
from localcloud.deploy.scope import Scope
from localcloud.deploy.state import Made

_CUSTOM_PREFIX = "Custom::"


class InertResource(ResourceType):
    """A type that is accepted with any property and does nothing."""

    name: ClassVar[str] = "(inert)"
    handled: ClassVar[frozenset[str]] = frozenset()

    def create(self, scope: Scope, _desired: Properties) -> Made:
        """Make nothing, under a name of its own."""
        return Made(scope.name(128))

    def update(self, _scope: Scope, made: Made, _old: Properties, _new: Properties) -> Made:
        """Change nothing."""
        return made

    def delete(self, _scope: Scope, _made: Made, _properties: Properties) -> None:
        """Delete nothing."""


@cache
def _known() -> dict[str, ResourceType]:
    return {kind.name: kind() for kind in RESOURCE_TYPES}


_INERT = InertResource()
_CUSTOM = CustomResource()


def resource_type(name: str) -> ResourceType:
    """Return the resource type called `name`; an unknown one is an `UnsupportedError`."""
    if name in INERT_TYPES:
        return _INERT
    if name.startswith(_CUSTOM_PREFIX) or name == CustomResource.name:
        return _CUSTOM
    if name not in _known():
        raise UnsupportedError(f"resource type {name} is not handled")
    return _known()[name]
