"""AppConfig's API for deployments."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from localcloud.errors import AwsError
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, refuse_others
from localcloud.services.configurations.deployments import COMPLETE, REVERTED, ROLLED_BACK, UNDER_WAY, Deployment
from localcloud.services.configurations.store import Application, ConfigurationStore, Environment

Params = Mapping[str, Any]
_NAMES = ("ApplicationId", "EnvironmentId", "DeploymentStrategyId", "ConfigurationProfileId", "ConfigurationVersion")
_ACCEPTED: dict[str, Any] = dict.fromkeys((*_NAMES, "Description", "Tags", "LatestDeploymentNumber"), ANY)


class ConfigurationDeploymentService(Service):
    """Starts, shows and stops deployments.

    Parameters
    ----------
    store
        What is deployed where.
    longest_seconds
        Upper bound on what a deployment takes here, and on its baking.
    now
        Time in epoch seconds.
    """

    name: ClassVar[str] = "appconfig"

    def __init__(self, store: ConfigurationStore, longest_seconds: float, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._longest_seconds = longest_seconds
        self._now = now
        self._lock = threading.Lock()

    @operation("StartDeployment")
    def start(self, params: Params) -> dict[str, Any]:
        """Begin to deploy a version; one deployment at a time in an environment."""
        refuse_others("appconfig:StartDeployment", params, _ACCEPTED)
        application, environment = self._place(params)
        profile = application.profile(params["ConfigurationProfileId"])
        version = profile.version(params["ConfigurationVersion"])
        strategy = self._store.strategy(params["DeploymentStrategyId"])
        with self._lock:
            if any(each.state in UNDER_WAY for each in environment.deployments):
                message = f"another deployment is under way in environment {environment.environment_id}"
                raise AwsError("ConflictException", message, 409)
            made = Deployment(
                len(environment.deployments) + 1,
                profile.profile_id,
                version.number,
                strategy,
                min(strategy.minutes * 60.0, self._longest_seconds),
                min(strategy.bake_minutes * 60.0, self._longest_seconds),
                self._now,
                params.get("Description", ""),
                version.label,
            )
            environment.deployments.append(made)
        return _described(application, environment, made)

    @operation("GetDeployment")
    def get(self, params: Params) -> dict[str, Any]:
        """Return how far a deployment is."""
        application, environment = self._place(params)
        return _described(application, environment, environment.deployment(params["DeploymentNumber"]))

    @operation("ListDeployments")
    def listed(self, params: Params) -> dict[str, Any]:
        """Return an environment's deployments, the newest first."""
        application, environment = self._place(params)
        described = (_described(application, environment, each) for each in reversed(environment.deployments))
        return {"Items": [{name: each[name] for name in _SUMMARY if name in each} for each in described]}

    @operation("StopDeployment")
    def stop(self, params: Params) -> dict[str, Any]:
        """Roll a deployment back; one that is complete only if AllowRevert is given."""
        application, environment = self._place(params)
        deployment = environment.deployment(params["DeploymentNumber"])
        with self._lock:
            if deployment.state in UNDER_WAY:
                deployment.ended = ROLLED_BACK
            elif deployment.state == COMPLETE and params.get("AllowRevert"):
                deployment.ended = REVERTED
            else:
                message = f"deployment {deployment.number} is {deployment.state} and cannot be stopped"
                raise AwsError("BadRequestException", message)
        return _described(application, environment, deployment)

    def _place(self, params: Params) -> tuple[Application, Environment]:
        application = self._store.application(params["ApplicationId"])
        return application, application.environment(params["EnvironmentId"])


_SUMMARY = (
    "DeploymentNumber",
    "ConfigurationName",
    "ConfigurationVersion",
    "DeploymentDurationInMinutes",
    "GrowthType",
    "GrowthFactor",
    "FinalBakeTimeInMinutes",
    "State",
    "PercentageComplete",
    "StartedAt",
    "CompletedAt",
    "VersionLabel",
)


def _described(application: Application, environment: Environment, deployment: Deployment) -> dict[str, Any]:
    label = {"VersionLabel": deployment.label} if deployment.label else {}
    profile = application.profiles.get(deployment.profile)
    return {
        "ApplicationId": application.application_id,
        "EnvironmentId": environment.environment_id,
        "ConfigurationProfileId": deployment.profile,
        "ConfigurationName": profile.name if profile else "",
        "ConfigurationLocationUri": "hosted",
        "DeploymentStrategyId": deployment.strategy.strategy_id,
        "EventLog": [],
        **deployment.described(),
        "Description": deployment.description,
        **label,
    }
