"""AWS::ApiGateway: deployments, stages and the account's settings."""

from typing import Any, ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.api_gateway_form import GONE, SERVICE, Patch, call, patch, replacing, set_tags, update
from localcloud.deploy.resources.shape import renamed, without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made


class Deployment(ResourceType):
    """A snapshot of an API; `Ref` is its id."""

    name: ClassVar[str] = "AWS::ApiGateway::Deployment"
    handled: ClassVar[frozenset[str]] = frozenset({"Description", "RestApiId"})
    required: ClassVar[frozenset[str]] = frozenset({"RestApiId"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"RestApiId"})
    attributes: ClassVar[frozenset[str]] = frozenset({"DeploymentId"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Take the snapshot."""
        identifier = call(scope, "CreateDeployment", desired)["id"]
        return Made(identifier, {"DeploymentId": identifier})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change its description; a change of the API needs another deployment."""
        patches = replacing(old, new, {"Description": "description"})
        update(scope, "UpdateDeployment", patches, restApiId=new["RestApiId"], deploymentId=made.physical_id)
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the snapshot."""
        with ignoring(GONE):
            api = properties["RestApiId"]
            scope.call(SERVICE, "DeleteDeployment", restApiId=api, deploymentId=made.physical_id)


_OF_METHODS = {
    "ThrottlingRateLimit": "throttling/rateLimit",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "MetricsEnabled": "metrics/enabled",
    "LoggingLevel": "logging/loglevel",
    "DataTraceEnabled": "logging/dataTrace",
    "CachingEnabled": "caching/enabled",
    "HttpMethod": "",
    "ResourcePath": "",
}
_STAGE_PATHS = {"DeploymentId": "deploymentId", "Description": "description"}
_LATER = ("AccessLogSetting", "MethodSettings")


class Stage(ResourceType):
    """A place at which a snapshot is served; `Ref` is its name."""

    name: ClassVar[str] = "AWS::ApiGateway::Stage"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"AccessLogSetting", "DeploymentId", "Description", "MethodSettings", "RestApiId", "StageName", "Tags",
         "Variables"}
    )  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset({"RestApiId"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"RestApiId", "StageName"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the stage, and set what only an update can."""
        settings = {"StageName": scope.name(64).replace("-", "_"), **without(desired, *_LATER)}
        made = scope.note(call(scope, "CreateStage", settings)["stageName"])
        update(scope, "UpdateStage", _patches({}, desired), restApiId=desired["RestApiId"], stageName=made.physical_id)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change the stage in one step: with its snapshot change its settings."""
        api, name = new["RestApiId"], made.physical_id
        patches = [*replacing(old, new, _STAGE_PATHS), *_patches(old, new), *_variables(old, new)]
        update(scope, "UpdateStage", patches, restApiId=api, stageName=name)
        set_tags(scope, f"restapis/{api}/stages/{name}", old, new)
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the stage."""
        with ignoring(GONE):
            scope.call(SERVICE, "DeleteStage", restApiId=properties["RestApiId"], stageName=made.physical_id)


def _patches(old: Properties, new: Properties) -> list[Patch]:
    return [*_of_log(old, new), *_of_methods(old, new)]


def _variables(old: Properties, new: Properties) -> list[Patch]:
    before, after = old.get("Variables") or {}, new.get("Variables") or {}
    return replacing(before, after, {name: f"variables/{name}" for name in {*before, *after}})


def _of_log(old: Properties, new: Properties) -> list[Patch]:
    before, after = old.get("AccessLogSetting") or {}, new.get("AccessLogSetting") or {}
    if before and not after:
        return [patch("remove", "/accessLogSettings")]
    names = {"DestinationArn": "destinationArn", "Format": "format"}
    renamed(after, "AccessLogSetting", names)
    return replacing(before, after, {name: f"accessLogSettings/{path}" for name, path in names.items()})


def _of_methods(old: Properties, new: Properties) -> list[Patch]:
    """Return the patches of settings by method; a method whose settings changed is set anew."""
    before, after = _by_method(old), _by_method(new)
    gone = [patch("remove", f"/{path}") for path, settings in before.items() if after.get(path) != settings]
    changed = [(path, settings) for path, settings in after.items() if before.get(path) != settings]
    return gone + [
        patch("replace", f"/{path}/{_OF_METHODS[name]}", value)
        for path, settings in changed
        for name, value in settings.items()
        if _OF_METHODS[name]
    ]


def _by_method(properties: Properties) -> dict[str, Any]:
    settings = properties.get("MethodSettings") or []
    for each in settings:
        renamed(each, "MethodSettings", _OF_METHODS)
    return {f"{_escaped(each.get('ResourcePath', '/*'))}/{each.get('HttpMethod', '*')}": each for each in settings}


def _escaped(path: str) -> str:
    """Return a path as patches name it: ``/*`` is all, and ``/~1a`` and ``/a`` are ``~1a``."""
    if path in ("/*", "*"):
        return "*"
    return path.removeprefix("/") if path.startswith("/~1") else path.replace("/", "~1")


class Account(ResourceType):
    """The role under which API Gateway writes logs: the account's, and kept when the stack is gone, as on AWS."""

    name: ClassVar[str] = "AWS::ApiGateway::Account"
    handled: ClassVar[frozenset[str]] = frozenset({"CloudWatchRoleArn"})
    attributes: ClassVar[frozenset[str]] = frozenset({"Id"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Set the role."""
        update(scope, "UpdateAccount", replacing({}, desired, {"CloudWatchRoleArn": "cloudwatchRoleArn"}))
        identifier = scope.name(64)
        return Made(identifier, {"Id": identifier})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set another role."""
        update(scope, "UpdateAccount", replacing(old, new, {"CloudWatchRoleArn": "cloudwatchRoleArn"}))
        return made

    def delete(self, _scope: Scope, _made: Made, _properties: Properties) -> None:
        """Leave the role."""
