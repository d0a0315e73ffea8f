"""Create, update and delete of single resources of one stack, each with its events."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localcloud.deploy.inert import effective
from localcloud.deploy.report import Reporter
from localcloud.deploy.resource_type import Properties, ResourceType, changed_properties
from localcloud.deploy.scope import Access, Scope
from localcloud.deploy.state import Made, ResourceState, StackState

Catalogue = Callable[[str], ResourceType]


@dataclass
class Actions:
    """What can be done to a single resource of `stack`."""

    access: Access
    catalogue: Catalogue
    stack: StackState
    reporter: Reporter

    def scope(self, logical_id: str, kind: str) -> Scope:
        """Return the scope in which a resource is worked on."""
        return Scope(self.access, self.stack.name, self.stack.id, logical_id, kind)

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the resource of `scope`; when this fails, ``scope.noted`` says what exists of it."""
        with self.reporter.resource("CREATE", scope.logical_id, scope.type) as name:
            made = self.catalogue(scope.type).create(scope, effective(scope.type, desired))
            name(made.physical_id)
        return made

    def update(self, current: ResourceState, desired: dict[str, Any]) -> Made:
        """Make the resource what `desired` says."""
        with self.reporter.resource("UPDATE", current.logical_id, current.type) as name:
            name(current.made.physical_id)
            made = self._update(current, desired)
            name(made.physical_id)
        return made

    def _update(self, current: ResourceState, desired: dict[str, Any]) -> Made:
        old, new = effective(current.type, current.properties), effective(current.type, desired)
        if old == new:
            return current.made
        scope = self.scope(current.logical_id, current.type)
        return self.catalogue(current.type).update(scope, current.made, old, new)

    def delete(self, doomed: ResourceState) -> None:
        """Delete the resource, whatever its policies say."""
        with self.reporter.resource("DELETE", doomed.logical_id, doomed.type) as name:
            name(doomed.made.physical_id)
            scope = self.scope(doomed.logical_id, doomed.type)
            self.catalogue(doomed.type).delete(scope, doomed.made, effective(doomed.type, doomed.properties))

    def replaces(self, current: ResourceState, desired: Properties) -> bool:
        """Return whether going from `current` to `desired` makes a new resource."""
        changed = changed_properties(current.properties, desired)
        return self.catalogue(current.type).replaces(changed, current.properties, desired)
