"""What AppConfig keeps: applications with their environments and profiles, and deployment strategies."""

import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from localcloud.errors import AwsError
from localcloud.services.configurations.deployments import COMPLETE, PREDEFINED, Deployment, Strategy

FLAGS = "AWS.AppConfig.FeatureFlags"
FREEFORM = "AWS.Freeform"
_LETTERS = string.ascii_lowercase + string.digits


def new_id() -> str:
    """Return an id as AppConfig gives them."""
    return "".join(secrets.choice(_LETTERS) for _ in range(7))


@dataclass(frozen=True)
class Version:
    """A hosted version of a configuration."""

    number: int
    content: bytes
    content_type: str
    description: str = ""
    label: str = ""


@dataclass
class Profile:
    """A configuration profile and its hosted versions."""

    profile_id: str
    application_id: str
    name: str
    kind: str
    description: str = ""
    versions: dict[int, Version] = field(default_factory=dict)
    last: int = 0

    @property
    def own_id(self) -> str:
        """Return the id."""
        return self.profile_id

    def described(self) -> dict[str, Any]:
        """Return the profile as the API shows it."""
        return {
            "ApplicationId": self.application_id,
            "Id": self.profile_id,
            "Name": self.name,
            "Description": self.description,
            "LocationUri": "hosted",
            "Type": self.kind,
            "Validators": [],
        }

    def version(self, asked: str) -> Version:
        """Return a version by number or label; raise ResourceNotFoundException."""
        for version in self.versions.values():
            if asked in (str(version.number), version.label or None):
                return version
        raise missing(f"version {asked} of configuration profile {self.profile_id}")


@dataclass
class Environment:
    """An environment and its deployments, the newest last."""

    environment_id: str
    application_id: str
    name: str
    description: str = ""
    deployments: list[Deployment] = field(default_factory=list)

    @property
    def own_id(self) -> str:
        """Return the id."""
        return self.environment_id

    @property
    def state(self) -> str:
        """Return the state, which is that of its last deployment."""
        last = self.deployments[-1].state if self.deployments else ""
        return {"": "READY_FOR_DEPLOYMENT", COMPLETE: "READY_FOR_DEPLOYMENT", "BAKING": "DEPLOYING"}.get(last, last)

    def described(self) -> dict[str, Any]:
        """Return the environment as the API shows it."""
        return {
            "ApplicationId": self.application_id,
            "Id": self.environment_id,
            "Name": self.name,
            "Description": self.description,
            "State": self.state,
            "Monitors": [],
        }

    def deployment(self, number: int) -> Deployment:
        """Return a deployment; raise ResourceNotFoundException."""
        if not 1 <= number <= len(self.deployments):
            raise missing(f"deployment {number} in environment {self.environment_id}")
        return self.deployments[number - 1]

    def version_for(self, profile: str, client: float) -> int | None:
        """Return which version of a profile a client gets now; None if none was ever deployed to it."""
        of_profile = [each for each in reversed(self.deployments) if each.profile == profile]
        return next((each.version for each in of_profile if each.reaches(client)), None)


@dataclass
class Application:
    """An application."""

    application_id: str
    name: str
    description: str = ""
    environments: dict[str, Environment] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)

    @property
    def own_id(self) -> str:
        """Return the id."""
        return self.application_id

    def described(self) -> dict[str, Any]:
        """Return the application as the API shows it."""
        return {"Id": self.application_id, "Name": self.name, "Description": self.description}

    def environment(self, asked: str) -> Environment:
        """Return an environment by id or name; raise ResourceNotFoundException."""
        return _found(asked, self.environments.values(), "environment")

    def profile(self, asked: str) -> Profile:
        """Return a profile by id or name; raise ResourceNotFoundException."""
        return _found(asked, self.profiles.values(), "configuration profile")


class ConfigurationStore:
    """All of the account's, with AppConfig's own strategies."""

    def __init__(self) -> None:
        self.applications: dict[str, Application] = {}
        self.strategies: dict[str, Strategy] = {each.strategy_id: each for each in PREDEFINED}
        self.tags: dict[str, dict[str, str]] = {}

    def application(self, asked: str) -> Application:
        """Return an application by id or name; raise ResourceNotFoundException."""
        return _found(asked, list(self.applications.values()), "application")

    def strategy(self, asked: str) -> Strategy:
        """Return a strategy by id; raise ResourceNotFoundException."""
        if asked not in self.strategies:
            raise missing(f"deployment strategy {asked}")
        return self.strategies[asked]


class _Named(Protocol):
    name: str

    @property
    def own_id(self) -> str: ...


Found = TypeVar("Found", bound=_Named)


def _found(asked: str, among: Iterable[Found], what: str) -> Found:
    named = [each for each in among if asked == each.name]
    by_id = [each for each in among if asked == each.own_id]
    if by_id:
        return by_id[0]
    if len(named) != 1:
        raise missing(f"{what} {asked}")
    return named[0]


def missing(what: str) -> AwsError:
    """Return the error for what is not there."""
    return AwsError("ResourceNotFoundException", f"Could not find {what}", 404)
