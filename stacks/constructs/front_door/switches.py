"""What on-call people switch off at once: an AppConfig profile of feature flags."""

import json
from typing import Any

from aws_cdk import aws_appconfig as appconfig
from constructs import Construct

from stacks.config.front_door import FrontDoor
from stacks.constructs.front_door.switches_emptying import SwitchesEmptying

_FLAGS = {
    "front-door": "Whether the API answers at all",
    "cache": "Whether answers are given again",
    "routing": "Whether callers, segments and testers choose a version",
    "jobs": "Whether new jobs are taken",
}


class Switches(Construct):
    """An application, an environment and a profile whose flags are all on at first.

    What an operator switches afterwards stays: a deploy does not touch it, unless a release of this file has other
    flags, and then all are on again.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    name
        SageMaker name of the endpoint.
    door
        What can be switched.
    emptying
        Deletes the versions that operators make, when the stack is destroyed.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, door: FrontDoor, emptying: SwitchesEmptying
    ) -> None:
        super().__init__(scope, construct_id)
        application = appconfig.CfnApplication(
            self, "Application", name=f"tidegate-{name}", description=f"Switches of the front door of {name}"
        )
        environment = appconfig.CfnEnvironment(self, "Environment", application_id=application.ref, name="live")
        profile = appconfig.CfnConfigurationProfile(
            self,
            "Profile",
            application_id=application.ref,
            name="switches",
            location_uri="hosted",
            type="AWS.AppConfig.FeatureFlags",
        )
        first = appconfig.CfnHostedConfigurationVersion(
            self,
            "AllOn",
            application_id=application.ref,
            configuration_profile_id=profile.ref,
            content_type="application/json",
            content=json.dumps(_document(), sort_keys=True),
        )
        at_once = self._at_once(name)
        appconfig.CfnDeployment(
            self,
            "First",
            application_id=application.ref,
            environment_id=environment.ref,
            configuration_profile_id=profile.ref,
            configuration_version=first.ref,
            deployment_strategy_id=at_once.ref,
        )
        emptying.before(self, application=application.ref, profile=profile.ref, kept=first.ref)
        self.application, self.environment, self.profile = application.ref, environment.ref, profile.ref
        self._strategy, self._configured = at_once.ref, configured_in(door)

    def _at_once(self, name: str) -> appconfig.CfnDeploymentStrategy:
        return appconfig.CfnDeploymentStrategy(
            self,
            "AtOnce",
            name=f"tidegate-{name}-at-once",
            deployment_duration_in_minutes=0,
            final_bake_time_in_minutes=0,
            growth_factor=100,
            replicate_to="NONE",
        )

    @property
    def places(self) -> dict[str, dict[str, Any]]:
        """Return for operators where the flags are, and which have a part of the front door behind them."""
        parts = {"application": self.application, "environment": self.environment, "profile": self.profile}
        return {"switches": {**parts, "strategy": self._strategy, "configured": self._configured}}


def configured_in(door: FrontDoor) -> list[str]:
    """Return the flags that have a part of a front door behind them; the others are there in advance of one."""
    behind = {
        "front-door": True,
        "cache": door.cache is not None,
        "routing": door.routes_callers,
        "jobs": door.jobs is not None,
    }
    return [flag for flag in _FLAGS if behind[flag]]


def _document() -> dict[str, object]:
    return {
        "version": "1",
        "flags": {name: {"name": name, "description": about} for name, about in _FLAGS.items()},
        "values": {name: {"enabled": True} for name in _FLAGS},
    }
