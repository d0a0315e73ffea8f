"""AWS::IAM: inline policies and managed policies as resources of their own."""

import json
from collections.abc import Iterator
from typing import ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.iam import GONE
from localcloud.deploy.resources.shape import only
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made

_PRINCIPALS = {"Roles": "Role", "Users": "User", "Groups": "Group"}
_VERSIONS_KEPT = 5

Holder = tuple[str, str]
"""Kind (``Role``) and name of who has a policy."""


def _holders(properties: Properties) -> Iterator[Holder]:
    for name, kind in _PRINCIPALS.items():
        for principal in properties.get(name, []):
            yield kind, principal


class Policy(ResourceType):
    """An inline policy, put on each of its roles, users and groups."""

    name: ClassVar[str] = "AWS::IAM::Policy"
    handled: ClassVar[frozenset[str]] = frozenset({"PolicyDocument", "PolicyName", *_PRINCIPALS})
    required: ClassVar[frozenset[str]] = frozenset({"PolicyDocument", "PolicyName"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Put the policy on everyone it names."""
        made = scope.note(scope.name(128))
        for kind, principal in _holders(desired):
            _put(scope, kind, principal, desired)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Put the new policy, and take the old one from whom the new one does not name."""
        for kind, principal in _holders(new):
            _put(scope, kind, principal, new)
        kept = set(_holders(new)) if old["PolicyName"] == new["PolicyName"] else set()
        for kind, principal in _holders(old):
            if (kind, principal) not in kept:
                _take(scope, kind, principal, old)
        return made

    def delete(self, scope: Scope, _made: Made, properties: Properties) -> None:
        """Take the policy from everyone."""
        for kind, principal in _holders(properties):
            _take(scope, kind, principal, properties)


def _put(scope: Scope, kind: str, principal: str, properties: Properties) -> None:
    document = json.dumps(properties["PolicyDocument"])
    whose = {f"{kind}Name": principal, "PolicyName": properties["PolicyName"]}
    scope.call("iam", f"Put{kind}Policy", PolicyDocument=document, **whose)


def _take(scope: Scope, kind: str, principal: str, properties: Properties) -> None:
    with ignoring(GONE):
        whose = {f"{kind}Name": principal, "PolicyName": properties["PolicyName"]}
        scope.call("iam", f"Delete{kind}Policy", **whose)


class ManagedPolicy(ResourceType):
    """A customer managed policy, attached to its roles, users and groups."""

    name: ClassVar[str] = "AWS::IAM::ManagedPolicy"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"PolicyDocument", "ManagedPolicyName", "Description", "Path", *_PRINCIPALS}
    )
    required: ClassVar[frozenset[str]] = frozenset({"PolicyDocument"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"ManagedPolicyName", "Description", "Path"})
    name_property: ClassVar[str | None] = "ManagedPolicyName"
    attributes: ClassVar[frozenset[str]] = frozenset({"PolicyArn", "PolicyId"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the policy and attach it."""
        answer = scope.call(
            "iam",
            "CreatePolicy",
            PolicyName=desired.get("ManagedPolicyName") or scope.name(128),
            PolicyDocument=json.dumps(desired["PolicyDocument"]),
            **only(desired, "Description", "Path"),
        )["Policy"]
        made = scope.note(answer["Arn"], PolicyArn=answer["Arn"], PolicyId=answer["PolicyId"])
        _attach(scope, made.physical_id, set(), set(_holders(desired)))
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Make a new default version of the policy; attach and detach."""
        arn = made.physical_id
        if old["PolicyDocument"] != new["PolicyDocument"]:
            _make_room(scope, arn)
            document = json.dumps(new["PolicyDocument"])
            scope.call("iam", "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
        _attach(scope, arn, set(_holders(old)), set(_holders(new)))
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Detach the policy, delete its versions, then itself."""
        with ignoring(GONE):
            _attach(scope, made.physical_id, set(_holders(properties)), set())
            for version in _spare_versions(scope, made.physical_id):
                scope.call("iam", "DeletePolicyVersion", PolicyArn=made.physical_id, VersionId=version)
            scope.call("iam", "DeletePolicy", PolicyArn=made.physical_id)


def _attach(scope: Scope, arn: str, before: set[Holder], after: set[Holder]) -> None:
    for kind, principal in sorted(after - before):
        whose = {f"{kind}Name": principal}
        scope.call("iam", f"Attach{kind}Policy", PolicyArn=arn, **whose)
    for kind, principal in sorted(before - after):
        whose = {f"{kind}Name": principal}
        with ignoring(GONE):
            scope.call("iam", f"Detach{kind}Policy", PolicyArn=arn, **whose)


def _spare_versions(scope: Scope, arn: str) -> list[str]:
    versions = scope.call("iam", "ListPolicyVersions", PolicyArn=arn)["Versions"]
    return [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]


def _make_room(scope: Scope, arn: str) -> None:
    """IAM keeps five versions of a policy: delete the oldest that is not the default if there are as many."""
    spare = _spare_versions(scope, arn)
    if len(spare) + 1 >= _VERSIONS_KEPT:
        oldest = min(spare, key=lambda version: int(version[1:]))
        scope.call("iam", "DeletePolicyVersion", PolicyArn=arn, VersionId=oldest)
