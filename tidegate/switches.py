"""Parts of a front door that are switched off and on again, by AppConfig."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.rollout.stored import known
from tidegate.aws import Aws
from tidegate.errors import OperatorError
from tidegate.front_door import FrontDoor
from tidegate.settings import EndpointSettings

FLAGS = ("front-door", "cache", "routing", "jobs")
SECONDS = 15
"""For as long as a function may go by what it read before."""


@dataclass(frozen=True)
class Profile:
    """Where the flags are, by AppConfig's identifiers, and which have a part of the front door behind them."""

    application: str
    environment: str
    profile: str
    strategy: str
    configured: Sequence[str]


def profile_of(door: FrontDoor, endpoint: EndpointSettings) -> Profile:
    """Return where a front door's flags are.

    Raises
    ------
    OperatorError
        When it has none.
    """
    described = door.described.get("switches")
    if described is None:
        raise OperatorError(
            f"the front door of {endpoint.name} has no switches",
            f"add switches: true to front_door in environments/{endpoint.environment}.yaml, and deploy",
        )
    # What is deployed may be older or newer than this command, which must be able to switch it off all the same.
    return Profile(**{"configured": FLAGS, **known(Profile, described)})


def states(aws: Aws, profile: Profile) -> dict[str, bool]:
    """Return which flags are on, as the newest version of the profile has it."""
    values = _newest(aws, profile).get("values", {})
    return {flag: bool(values.get(flag, {}).get("enabled", True)) for flag in FLAGS}


def switch(aws: Aws, profile: Profile, flag: str, *, on: bool) -> bool:
    """Switch a flag; return whether it stood otherwise.

    Done twice it changes nothing. What is rolled out is the newest version of the profile with this one flag changed.
    """
    document = _newest(aws, profile)
    values = dict(document.get("values", {}))
    if bool(values.get(flag, {}).get("enabled", True)) == on:
        return False
    values[flag] = {**values.get(flag, {}), "enabled": on}
    made = aws.appconfig.create_hosted_configuration_version(
        ApplicationId=profile.application,
        ConfigurationProfileId=profile.profile,
        ContentType="application/json",
        Content=json.dumps({**document, "values": values}).encode(),
    )
    aws.appconfig.start_deployment(
        ApplicationId=profile.application,
        EnvironmentId=profile.environment,
        ConfigurationProfileId=profile.profile,
        ConfigurationVersion=str(made["VersionNumber"]),
        DeploymentStrategyId=profile.strategy,
    )
    return True


def _newest(aws: Aws, profile: Profile) -> Mapping[str, Any]:
    named = {"ApplicationId": profile.application, "ConfigurationProfileId": profile.profile}
    listed = aws.appconfig.list_hosted_configuration_versions(**named)["Items"]
    newest = max(each["VersionNumber"] for each in listed)
    found = aws.appconfig.get_hosted_configuration_version(**named, VersionNumber=newest)
    document: Mapping[str, Any] = json.loads(found["Content"].read())
    return document
