"""AppConfig's API for applications, environments, profiles, hosted versions and strategies."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.front.permissions import Scope
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, OneOf, refuse_others
from localcloud.services.configurations.deployments import PREDEFINED, UNDER_WAY, Strategy
from localcloud.services.configurations.flags import checked
from localcloud.services.configurations.store import (
    FLAGS,
    FREEFORM,
    Application,
    ConfigurationStore,
    Environment,
    Profile,
    Version,
    missing,
    new_id,
)

Params = Mapping[str, Any]
LARGEST_CONTENT = 2 * 1024 * 1024
_ENVIRONMENT: dict[str, Any] = dict.fromkeys(("ApplicationId", "Name", "Description", "Tags"), ANY)
_PROFILE: dict[str, Any] = {**_ENVIRONMENT, "LocationUri": OneOf("hosted"), "Type": OneOf(FLAGS, FREEFORM)}
_STRATEGY: dict[str, Any] = {
    **dict.fromkeys(("Name", "Description", "DeploymentDurationInMinutes", "GrowthFactor", "Tags"), ANY),
    "GrowthType": OneOf("LINEAR"),
    "FinalBakeTimeInMinutes": ANY,
    "ReplicateTo": OneOf("NONE"),
}


class ConfigurationService(Service):
    """Makes, shows and deletes what configurations are kept in.

    Parameters
    ----------
    store
        What is kept.
    scope
        Account and region.
    """

    name: ClassVar[str] = "appconfig"

    def __init__(self, store: ConfigurationStore, scope: Scope) -> None:
        self._store = store
        self._scope = scope

    @operation("CreateApplication")
    def create_application(self, params: Params) -> dict[str, Any]:
        """Make an application."""
        application = Application(new_id(), params["Name"], params.get("Description", ""))
        self._store.applications[application.application_id] = application
        self._tag(f"application/{application.application_id}", params)
        return application.described()

    @operation("GetApplication")
    def get_application(self, params: Params) -> dict[str, Any]:
        """Return an application."""
        return self._application(params).described()

    @operation("ListApplications")
    def list_applications(self, _params: Params) -> dict[str, Any]:
        """Return all applications."""
        return {"Items": [each.described() for each in self._store.applications.values()]}

    @operation("UpdateApplication")
    def update_application(self, params: Params) -> dict[str, Any]:
        """Rename or describe an application."""
        return _renamed(self._application(params), params)

    @operation("DeleteApplication")
    def delete_application(self, params: Params) -> None:
        """Delete an application that has nothing in it."""
        application = self._application(params)
        if application.environments or application.profiles:
            raise _bad(f"application {application.application_id} still has environments or configuration profiles")
        del self._store.applications[application.application_id]

    @operation("CreateEnvironment")
    def create_environment(self, params: Params) -> dict[str, Any]:
        """Make an environment."""
        refuse_others("appconfig:CreateEnvironment", params, _ENVIRONMENT)
        application = self._application(params)
        made = Environment(new_id(), application.application_id, params["Name"], params.get("Description", ""))
        application.environments[made.environment_id] = made
        self._tag(f"application/{application.application_id}/environment/{made.environment_id}", params)
        return made.described()

    @operation("GetEnvironment")
    def get_environment(self, params: Params) -> dict[str, Any]:
        """Return an environment."""
        return self._application(params).environment(params["EnvironmentId"]).described()

    @operation("ListEnvironments")
    def list_environments(self, params: Params) -> dict[str, Any]:
        """Return an application's environments."""
        return {"Items": [each.described() for each in self._application(params).environments.values()]}

    @operation("UpdateEnvironment")
    def update_environment(self, params: Params) -> dict[str, Any]:
        """Rename or describe an environment."""
        refuse_others("appconfig:UpdateEnvironment", params, {**_ENVIRONMENT, "EnvironmentId": ANY})
        return _renamed(self._application(params).environment(params["EnvironmentId"]), params)

    @operation("DeleteEnvironment")
    def delete_environment(self, params: Params) -> None:
        """Delete an environment to which nothing is being deployed."""
        application = self._application(params)
        environment = application.environment(params["EnvironmentId"])
        if any(each.state in UNDER_WAY for each in environment.deployments):
            raise AwsError("ConflictException", f"a deployment is under way in {environment.environment_id}", 409)
        del application.environments[environment.environment_id]

    @operation("CreateConfigurationProfile")
    def create_profile(self, params: Params) -> dict[str, Any]:
        """Make a profile of hosted configurations."""
        refuse_others("appconfig:CreateConfigurationProfile", params, _PROFILE)
        application = self._application(params)
        kind, text = params.get("Type", FREEFORM), params.get("Description", "")
        made = Profile(new_id(), application.application_id, params["Name"], kind, text)
        application.profiles[made.profile_id] = made
        self._tag(f"application/{application.application_id}/configurationprofile/{made.profile_id}", params)
        return made.described()

    @operation("GetConfigurationProfile")
    def get_profile(self, params: Params) -> dict[str, Any]:
        """Return a profile."""
        return self._profile(params).described()

    @operation("ListConfigurationProfiles")
    def list_profiles(self, params: Params) -> dict[str, Any]:
        """Return an application's profiles."""
        wanted = params.get("Type")
        profiles = [each for each in self._application(params).profiles.values() if wanted in (None, each.kind)]
        return {"Items": [each.described() for each in profiles]}

    @operation("UpdateConfigurationProfile")
    def update_profile(self, params: Params) -> dict[str, Any]:
        """Rename or describe a profile."""
        refuse_others("appconfig:UpdateConfigurationProfile", params, {**_ENVIRONMENT, "ConfigurationProfileId": ANY})
        return _renamed(self._profile(params), params)

    @operation("DeleteConfigurationProfile")
    def delete_profile(self, params: Params) -> None:
        """Delete a profile without hosted versions."""
        profile = self._profile(params)
        if profile.versions:
            raise _bad(f"configuration profile {profile.profile_id} still has hosted versions")
        del self._store.applications[profile.application_id].profiles[profile.profile_id]

    @operation("CreateHostedConfigurationVersion")
    def create_version(self, params: Params) -> dict[str, Any]:
        """Keep a version of a configuration; feature flags must be valid."""
        profile, content = self._profile(params), bytes(params["Content"])
        if len(content) > LARGEST_CONTENT:
            message = f"the content has {len(content)} bytes; allowed are {LARGEST_CONTENT}"
            raise AwsError("PayloadTooLargeException", message, 413)
        if profile.kind == FLAGS:
            checked(content)
        latest = params.get("LatestVersionNumber")
        if latest is not None and latest != profile.last:
            message = f"LatestVersionNumber {latest} is not the latest, which is {profile.last}"
            raise AwsError("ConflictException", message, 409)
        profile.last += 1
        label, text = params.get("VersionLabel", ""), params.get("Description", "")
        made = Version(profile.last, content, params["ContentType"], text, label)
        profile.versions[made.number] = made
        return _version(profile, made, with_content=True)

    @operation("GetHostedConfigurationVersion")
    def get_version(self, params: Params) -> dict[str, Any]:
        """Return a version and its content."""
        profile = self._profile(params)
        return _version(profile, profile.version(str(params["VersionNumber"])), with_content=True)

    @operation("ListHostedConfigurationVersions")
    def list_versions(self, params: Params) -> dict[str, Any]:
        """Return a profile's versions, the newest first."""
        profile = self._profile(params)
        versions: Iterable[Version] = reversed(profile.versions.values())
        return {"Items": [_version(profile, each, with_content=False) for each in versions]}

    @operation("DeleteHostedConfigurationVersion")
    def delete_version(self, params: Params) -> None:
        """Delete a version."""
        profile = self._profile(params)
        del profile.versions[profile.version(str(params["VersionNumber"])).number]

    @operation("CreateDeploymentStrategy")
    def create_strategy(self, params: Params) -> dict[str, Any]:
        """Make a strategy."""
        refuse_others("appconfig:CreateDeploymentStrategy", params, _STRATEGY)
        made = _strategy(Strategy(new_id(), params["Name"], 0, 100.0), params)
        self._store.strategies[made.strategy_id] = made
        self._tag(f"deploymentstrategy/{made.strategy_id}", params)
        return made.described()

    @operation("GetDeploymentStrategy")
    def get_strategy(self, params: Params) -> dict[str, Any]:
        """Return a strategy."""
        return self._store.strategy(params["DeploymentStrategyId"]).described()

    @operation("ListDeploymentStrategies")
    def list_strategies(self, _params: Params) -> dict[str, Any]:
        """Return all strategies, AppConfig's own too."""
        return {"Items": [each.described() for each in self._store.strategies.values()]}

    @operation("UpdateDeploymentStrategy")
    def update_strategy(self, params: Params) -> dict[str, Any]:
        """Change a strategy, for deployments to come."""
        refuse_others("appconfig:UpdateDeploymentStrategy", params, {**_STRATEGY, "DeploymentStrategyId": ANY})
        made = _strategy(self._store.strategy(params["DeploymentStrategyId"]), params)
        self._store.strategies[made.strategy_id] = made
        return made.described()

    @operation("DeleteDeploymentStrategy")
    def delete_strategy(self, params: Params) -> None:
        """Delete a strategy that is not AppConfig's own."""
        strategy = self._store.strategy(params["DeploymentStrategyId"])
        if strategy in PREDEFINED:
            raise _bad(f"deployment strategy {strategy.strategy_id} is AppConfig's own")
        del self._store.strategies[strategy.strategy_id]

    @operation("TagResource")
    def tag(self, params: Params) -> None:
        """Set tags."""
        self._store.tags.setdefault(params["ResourceArn"], {}).update(params["Tags"])

    @operation("UntagResource")
    def untag(self, params: Params) -> None:
        """Remove tags."""
        for key in params["TagKeys"]:
            self._store.tags.get(params["ResourceArn"], {}).pop(key, None)

    @operation("ListTagsForResource")
    def tags(self, params: Params) -> dict[str, Any]:
        """Return tags."""
        return {"Tags": self._store.tags.get(params["ResourceArn"], {})}

    def _application(self, params: Params) -> Application:
        found = self._store.applications.get(params["ApplicationId"])
        if found is None:
            raise missing(f"application {params['ApplicationId']}")
        return found

    def _profile(self, params: Params) -> Profile:
        return self._application(params).profile(params["ConfigurationProfileId"])

    def _tag(self, resource: str, params: Params) -> None:
        self._store.tags[self._scope.arn("appconfig", resource)] = dict(params.get("Tags") or {})


def _renamed(thing: Application | Environment | Profile, params: Params) -> dict[str, Any]:
    thing.name = params.get("Name", thing.name)
    thing.description = params.get("Description", thing.description)
    return thing.described()


def _strategy(before: Strategy, params: Params) -> Strategy:
    if params.get("GrowthType", "LINEAR") != "LINEAR":
        raise NotSimulatedError(f"GrowthType {params['GrowthType']} of a deployment strategy")
    return replace(
        before,
        minutes=params.get("DeploymentDurationInMinutes", before.minutes),
        growth=float(params.get("GrowthFactor", before.growth)),
        bake_minutes=params.get("FinalBakeTimeInMinutes", before.bake_minutes),
        description=params.get("Description", before.description),
    )


def _version(profile: Profile, version: Version, *, with_content: bool) -> dict[str, Any]:
    label = {"VersionLabel": version.label} if version.label else {}
    return {
        "ApplicationId": profile.application_id,
        "ConfigurationProfileId": profile.profile_id,
        "VersionNumber": version.number,
        "ContentType": version.content_type,
        "Description": version.description,
        **label,
        **({"Content": version.content} if with_content else {}),
    }


def _bad(message: str) -> AwsError:
    return AwsError("BadRequestException", message)
