"""AWS::Lambda: versions of functions, aliases for them, and the concurrency that is provisioned for either."""

from typing import Any, ClassVar

from localcloud.deploy.errors import ResourceFailedError
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.lambda_function import GONE
from localcloud.deploy.resources.shape import only, without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made

_PROVISION = "ProvisionedConcurrencyConfig"
_PROVISION_TIMEOUT = 180.0


class Version(ResourceType):
    """A published version of a function."""

    name: ClassVar[str] = "AWS::Lambda::Version"
    handled: ClassVar[frozenset[str]] = frozenset({"CodeSha256", "Description", "FunctionName", _PROVISION})
    required: ClassVar[frozenset[str]] = frozenset({"FunctionName"})
    replaced_by: ClassVar[frozenset[str]] = handled
    attributes: ClassVar[frozenset[str]] = frozenset({"FunctionArn", "Version"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Publish the function as it is, and start what is provisioned."""
        function = desired["FunctionName"]
        before = _versions(scope, function)
        answer = scope.call("lambda", "PublishVersion", **without(desired, _PROVISION))
        if answer["Version"] in before:
            raise ResourceFailedError(
                f"A version for this Lambda function exists ( {answer['Version']} ). Modify the function to create a "
                "new version."
            )
        made = scope.note(answer["FunctionArn"], **only(answer, "FunctionArn", "Version"))
        _provision(scope, function, answer["Version"], {}, desired)
        return made

    def update(self, _scope: Scope, made: Made, _old: Properties, _new: Properties) -> Made:
        """Change nothing: every property publishes a new version."""
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the version."""
        with ignoring(GONE):
            version = made.attributes["Version"]
            scope.call("lambda", "DeleteFunction", FunctionName=properties["FunctionName"], Qualifier=version)


class Alias(ResourceType):
    """A name for a version."""

    name: ClassVar[str] = "AWS::Lambda::Alias"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"Description", "FunctionName", "FunctionVersion", "Name", "RoutingConfig", _PROVISION}
    )
    required: ClassVar[frozenset[str]] = frozenset({"FunctionName", "FunctionVersion", "Name"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"FunctionName", "Name"})
    attributes: ClassVar[frozenset[str]] = frozenset({"AliasArn"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the alias, and start what is provisioned."""
        arn = scope.call("lambda", "CreateAlias", **_parameters(desired))["AliasArn"]
        made = scope.note(arn, AliasArn=arn)
        _provision(scope, desired["FunctionName"], desired["Name"], {}, desired)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Point the alias elsewhere, and wait until its provisioned workers are those of the new version."""
        if without(old, _PROVISION) != without(new, _PROVISION):
            scope.call("lambda", "UpdateAlias", **{"RoutingConfig": {}, **_parameters(new)})
        _provision(scope, new["FunctionName"], new["Name"], old, new)
        _await_provision(scope, new["FunctionName"], new["Name"])
        return made

    def delete(self, scope: Scope, _made: Made, properties: Properties) -> None:
        """Delete the alias."""
        with ignoring(GONE):
            scope.call("lambda", "DeleteAlias", **only(properties, "FunctionName", "Name"))


def _versions(scope: Scope, function: str) -> set[str]:
    pages = scope.access.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=function)
    return {version["Version"] for page in pages for version in page["Versions"]}


def _parameters(properties: Properties) -> dict[str, Any]:
    parameters = without(properties, _PROVISION)
    if "RoutingConfig" not in parameters:
        return parameters
    weights = parameters["RoutingConfig"].get("AdditionalVersionWeights", [])
    shares = {entry["FunctionVersion"]: entry["FunctionWeight"] for entry in weights}
    return {**parameters, "RoutingConfig": {"AdditionalVersionWeights": shares}}


def _provision(scope: Scope, function: str, qualifier: str, old: Properties, new: Properties) -> None:
    """Make what is provisioned what the template says; what autoscaling has changed since is left alone."""
    if old.get(_PROVISION) == new.get(_PROVISION):
        return
    which = {"FunctionName": function, "Qualifier": qualifier}
    if _PROVISION in new:
        count = new[_PROVISION]["ProvisionedConcurrentExecutions"]
        scope.call("lambda", "PutProvisionedConcurrencyConfig", **which, ProvisionedConcurrentExecutions=count)
        _await_provision(scope, function, qualifier)
    else:
        with ignoring(GONE):
            scope.call("lambda", "DeleteProvisionedConcurrencyConfig", **which)


def _await_provision(scope: Scope, function: str, qualifier: str) -> None:
    """Wait until provisioned workers are there, if any are to be."""

    def look() -> dict[str, Any] | None:
        with ignoring("ProvisionedConcurrencyConfigNotFoundException"):
            answer = scope.call("lambda", "GetProvisionedConcurrencyConfig", FunctionName=function, Qualifier=qualifier)
            return None if answer["Status"] == "IN_PROGRESS" else answer
        return {"Status": "READY"}

    found = scope.wait(look, timeout=_PROVISION_TIMEOUT, what=f"provisioned concurrency of {function}:{qualifier}")
    if found["Status"] == "FAILED":
        reason = found.get("StatusReason")
        raise ResourceFailedError(f"provisioned concurrency of {function}:{qualifier} failed: {reason}")
