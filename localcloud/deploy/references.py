"""What a template refers to beyond itself: its stack's resources, and other stacks' names and exports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.deploy.errors import StackStateError, TemplateError
from localcloud.deploy.resource_type import ResourceType
from localcloud.deploy.state import ResourceState, StackState


@dataclass(frozen=True)
class LiveResources:
    """The resources of a stack as they are at this moment."""

    stack: StackState

    def ref(self, logical_id: str) -> Any:
        """Return the physical id."""
        return self._state(logical_id).made.physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return an attribute."""
        state = self._state(logical_id)
        if name not in state.made.attributes:
            raise TemplateError(f"{logical_id} ({state.type}) has no attribute {name}")
        return state.made.attributes[name]

    def _state(self, logical_id: str) -> ResourceState:
        if logical_id not in self.stack.resources:
            raise TemplateError(f"{logical_id} is neither a parameter nor a resource that exists")
        return self.stack.resources[logical_id]


Stacks = Mapping[str, StackState]


def importer(stacks: Stacks, importing: str, seen: set[str]) -> Callable[[str], Any]:
    """Return what gives the value of an export; the names asked for are added to `seen`."""

    def import_value(name: str) -> Any:
        for stack in stacks.values():
            if name in stack.exports and stack.name != importing:
                seen.add(name)
                return stack.exports[name]
        raise TemplateError(f"No export named {name} found")

    return import_value


def check_exports(stacks: Stacks, owner: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raise if an export that changes or goes is in use by another stack, or a new one is taken."""
    for name in sorted(set(old) | set(new)):
        if old.get(name) != new.get(name):
            _check_export(stacks, owner, name, name in old)


def _check_export(stacks: Stacks, owner: str, name: str, existed: bool) -> None:
    for stack in stacks.values():
        if stack.name == owner:
            continue
        if existed and name in stack.imports:
            raise StackStateError(f"Export {name} of stack {owner} cannot change: it is in use by {stack.name}")
        if name in stack.exports:
            raise StackStateError(f"Export {name} is already exported by stack {stack.name}")


def check_name(stacks: Stacks, kind: ResourceType, type_name: str, name: str, asking: tuple[str, str]) -> str:
    """Return the stack, if any, that has another resource of the type under that physical name."""
    for stack in stacks.values():
        for state in stack.resources.values():
            other = (stack.name, state.logical_id) != asking
            if other and state.type == type_name and state.properties.get(kind.name_property or "") == name:
                return stack.name
    return ""
