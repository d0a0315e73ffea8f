"""A CloudFormation template, parsed and checked for its form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.deploy.errors import TemplateError, UnsupportedError

_SECTIONS = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Rules",
    "Resources", "Outputs",
}  # fmt: skip
_ATTRIBUTES = {"Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"}
_POLICIES = {"Delete", "Retain", "RetainExceptOnCreate"}


@dataclass(frozen=True)
class ResourceTemplate:
    """One entry of ``Resources``."""

    logical_id: str
    type: str
    properties: dict[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"


@dataclass(frozen=True)
class Template:
    """A template's sections; `body` is the document as read."""

    body: Mapping[str, Any]
    resources: dict[str, ResourceTemplate]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)


def parse_template(body: Mapping[str, Any]) -> Template:
    """Parse `body`; what this module does not know is an `UnsupportedError` that names it."""
    for section in sorted(set(body) - _SECTIONS):
        raise UnsupportedError(f"template section {section} is not handled")
    resources = {name: _parse_resource(name, entry) for name, entry in body.get("Resources", {}).items()}
    return Template(
        body=body,
        resources=resources,
        parameters=body.get("Parameters", {}),
        mappings=body.get("Mappings", {}),
        conditions=body.get("Conditions", {}),
        rules=body.get("Rules", {}),
        outputs=body.get("Outputs", {}),
    )


def _parse_resource(logical_id: str, entry: Mapping[str, Any]) -> ResourceTemplate:
    for attribute in sorted(set(entry) - _ATTRIBUTES):
        raise UnsupportedError(f"{logical_id}: resource attribute {attribute} is not handled")
    if "Type" not in entry:
        raise TemplateError(f"{logical_id}: a resource needs a Type")
    depends_on = entry.get("DependsOn", ())
    return ResourceTemplate(
        logical_id=logical_id,
        type=entry["Type"],
        properties=dict(entry.get("Properties", {})),
        depends_on=(depends_on,) if isinstance(depends_on, str) else tuple(depends_on),
        condition=entry.get("Condition"),
        deletion_policy=_policy(logical_id, entry, "DeletionPolicy"),
        update_replace_policy=_policy(logical_id, entry, "UpdateReplacePolicy"),
    )


def _policy(logical_id: str, entry: Mapping[str, Any], attribute: str) -> str:
    policy = entry.get(attribute, "Delete")
    if policy not in _POLICIES:
        raise UnsupportedError(f"{logical_id}: {attribute} {policy!r} is not handled; handled are {sorted(_POLICIES)}")
    return str(policy)
