"""Permissions of AppConfig's operations."""

from localcloud.front.permissions import Need, Params, Rule, Scope, Table, anywhere, nothing

_APPLICATION = "application/{ApplicationId}"
_ENVIRONMENT = _APPLICATION + "/environment/{EnvironmentId}"
_PROFILE = _APPLICATION + "/configurationprofile/{ConfigurationProfileId}"
_STRATEGY = "deploymentstrategy/{DeploymentStrategyId}"
_VERSION = _PROFILE + "/hostedconfigurationversion/{VersionNumber}"
_DEPLOYMENT = _ENVIRONMENT + "/deployment/{DeploymentNumber}"


def _on(action: str, *resources: str) -> Rule:
    def needs(params: Params, scope: Scope) -> list[Need]:
        return [Need(f"appconfig:{action}", scope.arn("appconfig", text.format(**params))) for text in resources]

    return needs


_RESOURCES = {
    "GetApplication": (_APPLICATION,),
    "GetEnvironment": (_ENVIRONMENT,),
    "ListEnvironments": (_APPLICATION,),
    "GetConfigurationProfile": (_PROFILE,),
    "ListConfigurationProfiles": (_APPLICATION,),
    "CreateHostedConfigurationVersion": (_PROFILE,),
    "GetHostedConfigurationVersion": (_VERSION,),
    "ListHostedConfigurationVersions": (_PROFILE,),
    "DeleteHostedConfigurationVersion": (_VERSION,),
    "GetDeploymentStrategy": (_STRATEGY,),
    "StartDeployment": (_ENVIRONMENT, _PROFILE, _STRATEGY),
    "GetDeployment": (_DEPLOYMENT,),
    "ListDeployments": (_ENVIRONMENT,),
    "StopDeployment": (_DEPLOYMENT,),
}

APPCONFIG: Table = {
    **{f"appconfig:{action}": _on(action, *resources) for action, resources in _RESOURCES.items()},
    "appconfig:ListApplications": anywhere("appconfig:ListApplications"),
    "appconfig:ListDeploymentStrategies": anywhere("appconfig:ListDeploymentStrategies"),
    # The service itself checks these two: only it knows what a token or a name stands for.
    "appconfigdata:StartConfigurationSession": nothing,
    "appconfigdata:GetLatestConfiguration": nothing,
}
