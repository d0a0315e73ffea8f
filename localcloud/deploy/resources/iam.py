"""AWS::IAM: roles."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import only
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_list, tag_map

GONE = "NoSuchEntity"


class Role(ResourceType):
    """A role with its inline and attached policies."""

    name: ClassVar[str] = "AWS::IAM::Role"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "MaxSessionDuration", "Path",
         "PermissionsBoundary", "Policies", "RoleName", "Tags"}
    )  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset({"AssumeRolePolicyDocument"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"Path", "RoleName"})
    name_property: ClassVar[str | None] = "RoleName"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn", "RoleId"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the role, then its policies."""
        answer = scope.call(
            "iam",
            "CreateRole",
            RoleName=desired.get("RoleName") or scope.name(64),
            AssumeRolePolicyDocument=json.dumps(desired["AssumeRolePolicyDocument"]),
            Tags=tag_list(tag_map(desired.get("Tags"))) or None,
            **only(desired, "Description", "MaxSessionDuration", "Path", "PermissionsBoundary"),
        )["Role"]
        made = scope.note(answer["RoleName"], Arn=answer["Arn"], RoleId=answer["RoleId"])
        _set_policies(scope, made.physical_id, {}, desired)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set what differs."""
        role = made.physical_id
        if old["AssumeRolePolicyDocument"] != new["AssumeRolePolicyDocument"]:
            document = json.dumps(new["AssumeRolePolicyDocument"])
            scope.call("iam", "UpdateAssumeRolePolicy", RoleName=role, PolicyDocument=document)
        if _settings(old) != _settings(new):
            scope.call("iam", "UpdateRole", RoleName=role, **_settings(new))
        _set_boundary(scope, role, old, new)
        _set_policies(scope, role, old, new)
        to_set, removed = tag_changes(old, new)
        if to_set:
            scope.call("iam", "TagRole", RoleName=role, Tags=tag_list(to_set))
        if removed:
            scope.call("iam", "UntagRole", RoleName=role, TagKeys=removed)
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Take the role's policies away, then delete it."""
        with ignoring(GONE):
            _set_policies(scope, made.physical_id, properties, {})
            scope.call("iam", "DeleteRole", RoleName=made.physical_id)


def _settings(properties: Properties) -> dict[str, Any]:
    return {
        "Description": properties.get("Description", ""),
        "MaxSessionDuration": properties.get("MaxSessionDuration", 3600),
    }


def _set_boundary(scope: Scope, role: str, old: Properties, new: Properties) -> None:
    wanted = new.get("PermissionsBoundary")
    if old.get("PermissionsBoundary") == wanted:
        return
    if wanted:
        scope.call("iam", "PutRolePermissionsBoundary", RoleName=role, PermissionsBoundary=wanted)
    else:
        scope.call("iam", "DeleteRolePermissionsBoundary", RoleName=role)


def _inline(properties: Properties) -> dict[str, Mapping[str, Any]]:
    return {policy["PolicyName"]: policy["PolicyDocument"] for policy in properties.get("Policies", [])}


def _set_policies(scope: Scope, role: str, old: Properties, new: Properties) -> None:
    before, after = _inline(old), _inline(new)
    for name, document in after.items():
        if before.get(name) != document:
            policy = json.dumps(document)
            scope.call("iam", "PutRolePolicy", RoleName=role, PolicyName=name, PolicyDocument=policy)
    for name in sorted(set(before) - set(after)):
        with ignoring(GONE):
            scope.call("iam", "DeleteRolePolicy", RoleName=role, PolicyName=name)
    attached, wanted = old.get("ManagedPolicyArns", []), new.get("ManagedPolicyArns", [])
    for arn in [arn for arn in wanted if arn not in attached]:
        scope.call("iam", "AttachRolePolicy", RoleName=role, PolicyArn=arn)
    for arn in [arn for arn in attached if arn not in wanted]:
        with ignoring(GONE):
            scope.call("iam", "DetachRolePolicy", RoleName=role, PolicyArn=arn)
