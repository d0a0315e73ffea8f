"""What the deployer remembers about stacks and their resources."""

from dataclasses import asdict, dataclass, field
from typing import Any

_MASK = "****"


@dataclass(frozen=True)
class Made:
    """A resource that exists: its physical id (what ``Ref`` gives) and its attributes (what ``Fn::GetAtt`` gives)."""

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    no_echo: bool = False


@dataclass(frozen=True)
class ResourceState:
    """A resource of a stack, with the resolved properties that it was last given."""

    logical_id: str
    type: str
    made: Made
    properties: dict[str, Any]
    dependencies: tuple[str, ...] = ()
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    status: str = "CREATE_COMPLETE"
    reason: str = ""
    changed_at: float = 0.0

    def public(self) -> dict[str, Any]:
        """Return this as JSON, without what a custom resource asked not to echo."""
        shown = asdict(self)
        if self.made.no_echo:
            shown["made"]["attributes"] = dict.fromkeys(self.made.attributes, _MASK)
        return shown


@dataclass(frozen=True)
class StackEvent:
    """One line of a stack's history."""

    at: float
    stack: str
    logical_id: str
    type: str
    status: str
    reason: str = ""
    physical_id: str = ""
    elapsed: float = 0.0


@dataclass
class StackState:
    """A stack: what was deployed last, and what came of it."""

    name: str
    id: str
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""
    created_at: float = 0.0
    updated_at: float | None = None
    template: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    resources: dict[str, ResourceState] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    exports: dict[str, Any] = field(default_factory=dict)
    imports: frozenset[str] = frozenset()
    events: list[StackEvent] = field(default_factory=list)

    def public(self) -> dict[str, Any]:
        """Return this as JSON; the events and the template are left out for their length."""
        return {
            "name": self.name,
            "id": self.id,
            "status": self.status,
            "reason": self.reason,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "parameters": self.parameters,
            "outputs": self.outputs,
            "exports": self.exports,
            "resources": {name: resource.public() for name, resource in list(self.resources.items())},
        }
