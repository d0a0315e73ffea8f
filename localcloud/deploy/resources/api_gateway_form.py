"""What resources of API Gateway have in common: the API's spelling, patches and tags."""

from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.deploy.coercion import text
from localcloud.deploy.resource_type import Properties
from localcloud.deploy.resources.shape import without
from localcloud.deploy.scope import Scope
from localcloud.deploy.tags import tag_changes, tag_map

SERVICE = "apigateway"
GONE = "NotFoundException"
Patch = dict[str, str]


def call(scope: Scope, operation: str, properties: Properties, **more: Any) -> dict[str, Any]:
    """Call an operation with template properties, which are spelt with a capital letter there."""
    shape = scope.access.client(SERVICE).meta.service_model.operation_model(operation).input_shape
    given = _spelt(shape, without(properties, "Tags"))
    tags = {"tags": tag_map(properties["Tags"])} if properties.get("Tags") else {}
    return scope.call(SERVICE, operation, **{**given, **tags, **more})


def _spelt(shape: Any, value: Any) -> Any:
    """Return `value` under the API's names; keys of maps, which are the user's own, stay."""
    if shape is None:
        return value
    if shape.type_name == "structure" and isinstance(value, Mapping):
        named = {key[:1].lower() + key[1:]: item for key, item in value.items()}
        return {key: _spelt(shape.members.get(key), item) for key, item in named.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_spelt(shape.member, item) for item in value]
    return value


def replacing(old: Properties, new: Properties, paths: Mapping[str, str]) -> list[Patch]:
    """Return the patches for the properties that differ, by the path of each; what is gone is removed."""
    changed = [name for name in paths if old.get(name) != new.get(name)]
    return [
        patch("replace", f"/{paths[name]}", new[name]) if name in new else patch("remove", f"/{paths[name]}")
        for name in changed
    ]


def patch(verb: str, path: str, value: Any = None) -> Patch:
    """Return one patch operation."""
    made = {"op": verb, "path": path}
    return made if value is None else {**made, "value": text(value)}


def update(scope: Scope, operation: str, patches: Iterable[Patch], **where: Any) -> None:
    """Send patches, if there are any."""
    listed = list(patches)
    if listed:
        scope.call(SERVICE, operation, patchOperations=listed, **where)


def set_tags(scope: Scope, path: str, old: Properties, new: Properties) -> None:
    """Change the tags of what lies at a path of the API."""
    arn = f"arn:{scope.access.partition}:{SERVICE}:{scope.access.region}::/{path}"
    to_set, removed = tag_changes(old, new)
    if to_set:
        scope.call(SERVICE, "TagResource", resourceArn=arn, tags=to_set)
    if removed:
        scope.call(SERVICE, "UntagResource", resourceArn=arn, tagKeys=removed)
