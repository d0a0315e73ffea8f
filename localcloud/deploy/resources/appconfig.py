"""AWS::AppConfig: what configurations are kept in, and how fast they are deployed."""

from typing import Any, ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_map

GONE = "ResourceNotFoundException"


class Application(ResourceType):
    """An application; `Ref` is its id."""

    name: ClassVar[str] = "AWS::AppConfig::Application"
    handled: ClassVar[frozenset[str]] = frozenset({"Description", "Name", "Tags"})
    required: ClassVar[frozenset[str]] = frozenset({"Name"})
    attributes: ClassVar[frozenset[str]] = frozenset({"ApplicationId"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the application."""
        identifier = scope.call("appconfig", "CreateApplication", **_tagged(desired))["Id"]
        return Made(identifier, {"ApplicationId": identifier})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Rename or describe the application."""
        scope.call("appconfig", "UpdateApplication", ApplicationId=made.physical_id, **_untagged(new))
        _retag(scope, f"application/{made.physical_id}", old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the application."""
        with ignoring(GONE):
            scope.call("appconfig", "DeleteApplication", ApplicationId=made.physical_id)


class Environment(ResourceType):
    """An environment; `Ref` is its id."""

    name: ClassVar[str] = "AWS::AppConfig::Environment"
    handled: ClassVar[frozenset[str]] = frozenset({"ApplicationId", "Description", "Monitors", "Name", "Tags"})
    required: ClassVar[frozenset[str]] = frozenset({"ApplicationId", "Name"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"ApplicationId"})
    attributes: ClassVar[frozenset[str]] = frozenset({"EnvironmentId"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the environment."""
        identifier = scope.call("appconfig", "CreateEnvironment", **_tagged(desired))["Id"]
        return Made(identifier, {"EnvironmentId": identifier})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Rename or describe the environment."""
        scope.call("appconfig", "UpdateEnvironment", EnvironmentId=made.physical_id, **_untagged(new))
        _retag(scope, f"application/{new['ApplicationId']}/environment/{made.physical_id}", old, new)
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the environment."""
        with ignoring(GONE):
            application = properties["ApplicationId"]
            scope.call("appconfig", "DeleteEnvironment", ApplicationId=application, EnvironmentId=made.physical_id)


class ConfigurationProfile(ResourceType):
    """A profile of hosted configurations; `Ref` is its id."""

    name: ClassVar[str] = "AWS::AppConfig::ConfigurationProfile"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"ApplicationId", "Description", "LocationUri", "Name", "Tags", "Type", "Validators"}
    )
    required: ClassVar[frozenset[str]] = frozenset({"ApplicationId", "LocationUri", "Name"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"ApplicationId", "LocationUri", "Type"})
    attributes: ClassVar[frozenset[str]] = frozenset({"ConfigurationProfileId"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the profile."""
        identifier = scope.call("appconfig", "CreateConfigurationProfile", **_tagged(desired))["Id"]
        return Made(identifier, {"ConfigurationProfileId": identifier})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Rename or describe the profile."""
        given = without(_untagged(new), "LocationUri", "Type")
        scope.call("appconfig", "UpdateConfigurationProfile", ConfigurationProfileId=made.physical_id, **given)
        _retag(scope, f"application/{new['ApplicationId']}/configurationprofile/{made.physical_id}", old, new)
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the profile."""
        which = {"ApplicationId": properties["ApplicationId"], "ConfigurationProfileId": made.physical_id}
        with ignoring(GONE):
            scope.call("appconfig", "DeleteConfigurationProfile", **which)


class DeploymentStrategy(ResourceType):
    """A strategy; `Ref` is its id."""

    name: ClassVar[str] = "AWS::AppConfig::DeploymentStrategy"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"DeploymentDurationInMinutes", "Description", "FinalBakeTimeInMinutes", "GrowthFactor", "GrowthType", "Name",
         "ReplicateTo", "Tags"}
    )  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset(
        {"DeploymentDurationInMinutes", "GrowthFactor", "Name", "ReplicateTo"}
    )
    replaced_by: ClassVar[frozenset[str]] = frozenset({"Name", "ReplicateTo"})
    name_property: ClassVar[str | None] = "Name"
    attributes: ClassVar[frozenset[str]] = frozenset({"Id"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the strategy."""
        identifier = scope.call("appconfig", "CreateDeploymentStrategy", **_tagged(desired))["Id"]
        return Made(identifier, {"Id": identifier})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change the strategy."""
        given = without(_untagged(new), "Name", "ReplicateTo")
        scope.call("appconfig", "UpdateDeploymentStrategy", DeploymentStrategyId=made.physical_id, **given)
        _retag(scope, f"deploymentstrategy/{made.physical_id}", old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the strategy."""
        with ignoring(GONE):
            scope.call("appconfig", "DeleteDeploymentStrategy", DeploymentStrategyId=made.physical_id)


def _tagged(properties: Properties) -> dict[str, Any]:
    return {**without(properties, "Tags"), "Tags": tag_map(properties.get("Tags")) or None}


def _untagged(properties: Properties) -> dict[str, Any]:
    return without(properties, "Tags")


def _retag(scope: Scope, resource: str, old: Properties, new: Properties) -> None:
    to_set, removed = tag_changes(old, new)
    arn = scope.arn("appconfig", resource)
    if to_set:
        scope.call("appconfig", "TagResource", ResourceArn=arn, Tags=to_set)
    if removed:
        scope.call("appconfig", "UntagResource", ResourceArn=arn, TagKeys=removed)
