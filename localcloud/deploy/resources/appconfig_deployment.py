"""AWS::AppConfig: hosted versions, and their deployments."""

from typing import ClassVar

from localcloud.deploy.errors import ResourceFailedError
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.appconfig import GONE
from localcloud.deploy.resources.shape import only, without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made

_UNDER_WAY = ("DEPLOYING", "BAKING", "VALIDATING")
_TIMEOUT = 120.0


class HostedConfigurationVersion(ResourceType):
    """A hosted version; `Ref` is its number."""

    name: ClassVar[str] = "AWS::AppConfig::HostedConfigurationVersion"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"ApplicationId", "ConfigurationProfileId", "Content", "ContentType", "Description", "LatestVersionNumber",
         "VersionLabel"}
    )  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset(
        {"ApplicationId", "ConfigurationProfileId", "Content", "ContentType"}
    )
    replaced_by: ClassVar[frozenset[str]] = handled
    attributes: ClassVar[frozenset[str]] = frozenset({"VersionNumber"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Keep the version."""
        content = str(desired["Content"]).encode()
        given = {**without(desired, "Content"), "Content": content}
        number = str(scope.call("appconfig", "CreateHostedConfigurationVersion", **given)["VersionNumber"])
        return Made(number, {"VersionNumber": number})

    def update(self, _scope: Scope, made: Made, _old: Properties, _new: Properties) -> Made:
        """Change nothing: every property makes a new version."""
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the version."""
        which = only(properties, "ApplicationId", "ConfigurationProfileId")
        with ignoring(GONE):
            scope.call("appconfig", "DeleteHostedConfigurationVersion", VersionNumber=made.physical_id, **which)


class Deployment(ResourceType):
    """A deployment; `Ref` is its number."""

    name: ClassVar[str] = "AWS::AppConfig::Deployment"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"ApplicationId", "ConfigurationProfileId", "ConfigurationVersion", "DeploymentStrategyId", "Description",
         "EnvironmentId", "Tags"}
    )  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset(
        {"ApplicationId", "ConfigurationProfileId", "ConfigurationVersion", "DeploymentStrategyId", "EnvironmentId"}
    )
    replaced_by: ClassVar[frozenset[str]] = handled
    attributes: ClassVar[frozenset[str]] = frozenset({"DeploymentNumber", "State"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Deploy, and wait for the end."""
        number = scope.call("appconfig", "StartDeployment", **without(desired, "Tags"))["DeploymentNumber"]
        made = scope.note(str(number), DeploymentNumber=str(number), State="DEPLOYING")
        place = only(desired, "ApplicationId", "EnvironmentId")

        def look() -> str | None:
            state = scope.call("appconfig", "GetDeployment", DeploymentNumber=number, **place)["State"]
            return None if state in _UNDER_WAY else str(state)

        state = scope.wait(look, timeout=_TIMEOUT, what="the deployment's end")
        if state != "COMPLETE":
            raise ResourceFailedError(f"deployment {number} is {state}")
        return Made(made.physical_id, {**made.attributes, "State": state})

    def update(self, _scope: Scope, made: Made, _old: Properties, _new: Properties) -> Made:
        """Change nothing: every property makes a new deployment."""
        return made

    def delete(self, _scope: Scope, _made: Made, _properties: Properties) -> None:
        """Leave what was deployed: deployments cannot be deleted."""
