"""Tags, in the two forms templates write them."""

from collections.abc import Mapping
from typing import Any

from localcloud.deploy.coercion import text


def tag_map(tags: Any) -> dict[str, str]:
    """Return ``Tags`` of either form as a mapping."""
    if isinstance(tags, Mapping):
        return {str(key): text(value) for key, value in tags.items()}
    return {tag["Key"]: text(tag["Value"]) for tag in tags or []}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a mapping of tags in the form of a list."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Return the tags to set and the keys to remove on the way from `old` to `new` properties."""
    before, after = tag_map(old.get("Tags")), tag_map(new.get("Tags"))
    to_set = {key: value for key, value in after.items() if before.get(key) != value}
    return to_set, sorted(set(before) - set(after))


def with_stack_tags(form: str | None, properties: dict[str, Any], stack_tags: Mapping[str, str]) -> dict[str, Any]:
    """Return `properties` with the stack's tags added; the resource's own win, as in CloudFormation."""
    if form is None or not stack_tags:
        return properties
    tags = {**stack_tags, **tag_map(properties.get("Tags"))}
    return {**properties, "Tags": tags if form == "map" else tag_list(tags)}
