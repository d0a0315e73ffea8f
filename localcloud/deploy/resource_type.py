"""The form of a resource type: what it handles, what a change means, and how it is made."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.deploy.scope import Scope
from localcloud.deploy.state import Made

Properties = Mapping[str, Any]


class ResourceType(ABC):
    """A CloudFormation resource type.

    Subclasses name every property they handle; the deployer refuses a template with any other. `replaced_by` is the
    part of them whose change makes a new resource, as in CloudFormation's schema of the type.
    """

    name: ClassVar[str]
    handled: ClassVar[frozenset[str]]
    required: ClassVar[frozenset[str]] = frozenset()
    replaced_by: ClassVar[frozenset[str]] = frozenset()
    name_property: ClassVar[str | None] = None
    attributes: ClassVar[frozenset[str]] = frozenset()
    tag_form: ClassVar[str | None] = None
    """How ``Tags`` is written: "list" of Key and Value, "map", or None when the type takes no tags."""

    def replaces(self, changed: frozenset[str], _old: Properties, _new: Properties) -> bool:
        """Return whether a change of the properties `changed` makes a new resource."""
        return bool(changed & self.replaced_by)

    @abstractmethod
    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the resource."""

    @abstractmethod
    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Make the resource what `new` says; another physical id in the answer means that it was replaced."""

    @abstractmethod
    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the resource; that it is gone already is success."""


def changed_properties(old: Properties, new: Properties) -> frozenset[str]:
    """Return the names of the properties that differ."""
    return frozenset(key for key in {*old, *new} if old.get(key) != new.get(key))
