"""AWS::SSM: parameters."""

from typing import ClassVar

from localcloud.deploy.coercion import text
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_list, tag_map

_GONE = "ParameterNotFound"


class Parameter(ResourceType):
    """A parameter; its tags are a map, unlike elsewhere."""

    name: ClassVar[str] = "AWS::SSM::Parameter"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"AllowedPattern", "DataType", "Description", "Name", "Tags", "Tier", "Type", "Value"}
    )
    required: ClassVar[frozenset[str]] = frozenset({"Type", "Value"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"Name"})
    name_property: ClassVar[str | None] = "Name"
    attributes: ClassVar[frozenset[str]] = frozenset({"Type", "Value"})
    tag_form: ClassVar[str | None] = "map"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Put the parameter, which must not exist."""
        name = desired.get("Name") or scope.name(1011)
        tags = tag_list(tag_map(desired.get("Tags"))) or None
        scope.call("ssm", "PutParameter", Name=name, Tags=tags, **without(desired, "Name", "Tags"))
        return _made(name, desired)

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Put the parameter over the one before."""
        name = made.physical_id
        if without(old, "Tags") != without(new, "Tags"):
            scope.call("ssm", "PutParameter", Overwrite=True, Name=name, **without(new, "Name", "Tags"))
        to_set, removed = tag_changes(old, new)
        which = {"ResourceType": "Parameter", "ResourceId": name}
        if to_set:
            scope.call("ssm", "AddTagsToResource", Tags=tag_list(to_set), **which)
        if removed:
            scope.call("ssm", "RemoveTagsFromResource", TagKeys=removed, **which)
        return _made(name, new)

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the parameter."""
        with ignoring(_GONE):
            scope.call("ssm", "DeleteParameter", Name=made.physical_id)


def _made(name: str, properties: Properties) -> Made:
    return Made(name, {"Type": properties["Type"], "Value": text(properties["Value"])})
