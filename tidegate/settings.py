"""What an environment's deployment says about its endpoints: one SSM parameter for each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lambdas import contract
from lambdas.rollout.policy import Policy, PolicyError
from tidegate.aws import Aws
from tidegate.environments import nothing_deployed
from tidegate.errors import OperatorError, UsageError

_OTHER_VERSION = "is this checkout of the same version as what is deployed? deploy the environment again"


@dataclass(frozen=True)
class EndpointSettings:
    """What the deployment says about one endpoint.

    Parameters
    ----------
    environment
        Name of the environment (``dev``).
    name
        The SageMaker endpoint's name, which is the model package group's too.
    image
        Serving image that packages registered from here run on.
    artefact_bucket
        Bucket that model artefacts must lie in.
    policy
        The rollout policy as rendered.
    fleet
        The declared fleet as rendered.
    evidence
        What its alarms look at, as rendered.
    signing_key
        KMS key that versions are signed with; empty where they are not.
    """

    environment: str
    name: str
    image: str
    artefact_bucket: str
    policy: Mapping[str, Any]
    fleet: Mapping[str, Any]
    evidence: Mapping[str, Any] = field(default_factory=dict)
    signing_key: str = ""

    @property
    def table(self) -> str:
        """Name of the environment's rollout table."""
        return contract.table_name(self.environment)

    @cached_property
    def rollout_policy(self) -> Policy:
        """The rollout policy, which says what steps it comes down to."""
        try:
            return Policy.from_dict(self.policy, lenient=True)
        except PolicyError as error:
            raise OperatorError(f"the rollout policy of {self.name} cannot be read: {error}", _OTHER_VERSION) from error

    @property
    def step_weights(self) -> list[float]:
        """The weights that a rollout goes through, step by step."""
        return [float(step.weight) for step in self.rollout_policy.plan]

    def command(self, words: str) -> str:
        """Return a command on this endpoint as a person may type it."""
        return f"python -m tidegate {words} --env {self.environment} --endpoint {self.name}"


def parse(text: str) -> EndpointSettings:
    """Return the settings that a parameter's text holds."""
    try:
        data = json.loads(text)
        return EndpointSettings(
            environment=data["environment"],
            name=data["endpoint"],
            image=data["fleet"]["image"],
            artefact_bucket=data["artefact_bucket"],
            policy=data["policy"],
            fleet=data["fleet"],
            evidence=data.get("evidence", {}),
            signing_key=data.get("signing_key") or "",
        )
    except (ValueError, KeyError, TypeError) as error:
        raise OperatorError(
            f"an endpoint's settings cannot be read: {error!r}",
            _OTHER_VERSION,
        ) from error


def deployed_endpoints(aws: Aws, environment: str) -> dict[str, EndpointSettings]:
    """Return every endpoint of the environment by its SageMaker name; there is one at least."""
    path = contract.endpoint_parameter(environment, "").rstrip("/")
    found: dict[str, EndpointSettings] = {}
    for page in aws.ssm.get_paginator("get_parameters_by_path").paginate(Path=path):
        for parameter in page["Parameters"]:
            settings = parse(parameter["Value"])
            found[settings.name] = settings
    if not found:
        raise nothing_deployed(environment, path)
    return found


def find_endpoint(aws: Aws, environment: str, endpoint: str | None) -> EndpointSettings:
    """Return the endpoint that the operator means: by either name, or the only one there is."""
    deployed = deployed_endpoints(aws, environment)
    return the_only_one(deployed) if endpoint is None else named(deployed, environment, endpoint)


def named(deployed: Mapping[str, EndpointSettings], environment: str, endpoint: str) -> EndpointSettings:
    """Return the endpoint of that name, SageMaker's or the one in the environment's file."""
    for name in (endpoint, contract.endpoint_name(environment, endpoint)):
        if name in deployed:
            return deployed[name]
    raise UsageError(
        f"environment {environment!r} has no endpoint {endpoint!r}", f"it has: {', '.join(sorted(deployed))}"
    )


def the_only_one(deployed: Mapping[str, EndpointSettings]) -> EndpointSettings:
    """Return the endpoint of an environment that has one."""
    if len(deployed) > 1:
        raise UsageError("which endpoint?", f"give --endpoint one of: {', '.join(sorted(deployed))}")
    return next(iter(deployed.values()))
