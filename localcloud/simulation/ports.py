"""What stands behind the engine's ports: the real adapters over the physics, and light stand-ins for the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.rollout.adapters.autoscaling import ApplicationAutoscaling
from lambdas.rollout.adapters.sagemaker import SageMakerEndpoints
from lambdas.rollout.errors import ModelAnswerError, PermanentError
from lambdas.rollout.policy import Hook, SmokeTest
from lambdas.rollout.ports import Answer, Package
from lambdas.rollout.settings import Settings
from localcloud.clock import VirtualClock
from localcloud.simulation.cloud import ACCOUNT, BUCKET, REGION, REPOSITORY, Cloud, lazy


@dataclass
class Hooks:
    """Functions whose names say what they answer: ``go``, ``no-go``, ``error``, or ``waits`` once before it says go."""

    asked: set[str] = field(default_factory=set)

    def ask(self, hook: Hook, question: Mapping[str, Any]) -> Answer:
        """Return the function's answer."""
        says, identity = hook.function.rpartition(":")[2], str(question["id"])
        if says == "error":
            raise PermanentError("the function failed")
        if says == "waits" and identity not in self.asked:
            self.asked.add(identity)
            return Answer("wait", "not yet")
        return Answer("no-go" if says == "no-go" else "go")


@dataclass
class Model:
    """Answers the smoke test; versions in `broken` fail it."""

    cloud: Cloud
    broken: frozenset[str]

    def invoke(self, name: str, slot: str, test: SmokeTest) -> None:  # noqa: ARG002 - the port's
        """Return when the variant has answered well."""
        endpoint = self.cloud.endpoint
        if endpoint is None or slot not in endpoint.variants:
            raise PermanentError(f"ValidationError: there is no variant {slot}")
        url = endpoint.variants[slot].model.data_url or ""
        if any(f"/{version}/" in url for version in self.broken):
            raise ModelAnswerError("the model answered 500")


@dataclass
class Registry:
    """The model registry."""

    clock: VirtualClock
    group: str
    packages: dict[str, Package] = field(default_factory=dict)

    def describe(self, arn: str) -> Package | None:
        """Return a package, or None when there is none."""
        return self.packages.get(arn)

    def approved(self, group: str) -> list[str]:  # noqa: ARG002 - the port's
        """Return the ARNs of a group's approved packages, the newest first."""
        return [arn for arn, package in reversed(self.packages.items()) if package.approval == "Approved"]

    def arn(self, version: str) -> str:
        """Return a version's ARN."""
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{self.group}/{version.replace('.', '')}"

    def decide(self, version: str, approval: str) -> str:
        """Register a version unless it is there, approve or reject it, and return its ARN."""
        arn = self.arn(version)
        if arn not in self.packages:
            container = {"Image": f"{REPOSITORY}:0", "ModelDataUrl": f"s3://{BUCKET}/{version}/model.tar.gz"}
            package = Package(arn, self.group, "", "Completed", 0.0, version, (container,))
            self.packages[arn] = package
        self.packages[arn] = replace(self.packages[arn], approval=approval, modified_at=self.clock.now())
        return arn


@dataclass
class Parameter:
    """The endpoint's parameter."""

    settings: Settings

    def load(self, name: str) -> Settings:  # noqa: ARG002 - the port's
        """Return an endpoint's settings."""
        return self.settings


class Unsigned:
    """Implements `lambdas.rollout.ports.Trust` where no model is signed."""

    def is_valid(self, key: str, message: bytes, signature: bytes) -> bool:  # noqa: ARG002 - the port's
        """Return that nothing is."""
        return False

    def sha256(self, uri: str) -> str:
        """Return no digest."""
        raise PermanentError(f"{uri} holds nothing here")


class Notifier:
    """Tells nobody."""

    def tell(self, subject: str, text: str) -> None:
        """Send a notification."""


class NoLog:
    """Implements `lambdas.rollout.ports.Log` and writes nothing.

    Errors that nobody foresaw go to the judge, by `Workers`.
    """

    def bind(self, **fields: object) -> None:
        """Add fields to every line from here on."""

    def info(self, message: str) -> None:
        """Write a line."""

    def warning(self, message: str) -> None:
        """Write a line that somebody may want to look at."""

    def exception(self, message: str) -> None:
        """Write a line about the error that is being handled."""


def endpoints(cloud: Cloud) -> SageMakerEndpoints:
    """Return the real adapter over the physics."""
    return SageMakerEndpoints(lazy(cloud.sagemaker))


def autoscaling(cloud: Cloud) -> ApplicationAutoscaling:
    """Return the real adapter over the physics."""
    return ApplicationAutoscaling(lazy(cloud.autoscaling))
