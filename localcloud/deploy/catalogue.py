"""The resource types that the local cloud deploys."""

from functools import cache
from typing import ClassVar

from localcloud.deploy.custom_resource import CustomResource
from localcloud.deploy.errors import UnsupportedError
from localcloud.deploy.inert import INERT_ATTRIBUTES, INERT_TYPES
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
        """Make nothing, under a name of its own, which stands for its attributes too."""
        name = scope.name(128)
        service, kind = scope.type.split("::")[1:]
        values = {"Arn": scope.arn(service.lower(), f"{kind.lower()}/{name}")}
        return Made(name, {attribute: values.get(attribute, name) for attribute in self.attributes})

    def update(self, _scope: Scope, made: Made, _old: Properties, _new: Properties) -> Made:
        """Change nothing."""
        return made

    def delete(self, _scope: Scope, _made: Made, _properties: Properties) -> None:
        """Delete nothing."""


@cache
def _known() -> dict[str, ResourceType]:
    return {kind.name: kind() for kind in RESOURCE_TYPES}


@cache
def _inert(kind: str) -> InertResource:
    """Return the inert type with the attributes that `kind` has."""
    attributes = INERT_ATTRIBUTES.get(kind, frozenset())
    of_kind: type[InertResource] = type("InertResource", (InertResource,), {"attributes": attributes})
    return of_kind()


_CUSTOM = CustomResource()


def resource_type(name: str) -> ResourceType:
    """Return the resource type called `name`; an unknown one is an `UnsupportedError`."""
    if name in INERT_TYPES:
        return _inert(name)
    if name.startswith(_CUSTOM_PREFIX) or name == CustomResource.name:
        return _CUSTOM
    if name not in _known():
        raise UnsupportedError(f"resource type {name} is not handled")
    return _known()[name]
