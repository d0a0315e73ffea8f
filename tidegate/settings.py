"""What an environment's deployment says about its endpoints: one SSM parameter for each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas import contract
from tidegate.aws import Aws
from tidegate.errors import OperatorError, UsageError


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
    """

    environment: str
    name: str
    image: str
    artefact_bucket: str
    policy: Mapping[str, Any]
    fleet: Mapping[str, Any]

    @property
    def table(self) -> str:
        """Name of the environment's rollout table."""
        return contract.table_name(self.environment)

    @property
    def step_weights(self) -> list[float]:
        """The canary's weights, step by step."""
        return [float(step["weight"]) for step in self.policy["steps"]]


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
        )
    except (ValueError, KeyError, TypeError) as error:
        raise OperatorError(
            f"an endpoint's settings cannot be read: {error!r}",
            "is this checkout of the same version as what is deployed? deploy the environment again",
        ) from error


def deployed_endpoints(aws: Aws, environment: str) -> dict[str, EndpointSettings]:
    """Return every endpoint of the environment by its SageMaker name."""
    path = contract.endpoint_parameter(environment, "").rstrip("/")
    found: dict[str, EndpointSettings] = {}
    for page in aws.ssm.get_paginator("get_parameters_by_path").paginate(Path=path):
        for parameter in page["Parameters"]:
            settings = parse(parameter["Value"])
            found[settings.name] = settings
    return found


def find_endpoint(aws: Aws, environment: str, endpoint: str | None) -> EndpointSettings:
    """Return the endpoint that the operator means: by either name, or the only one there is."""
    deployed = deployed_endpoints(aws, environment)
    if not deployed:
        raise OperatorError(f"environment {environment!r} has no deployed endpoint", _how_to_deploy(environment))
    if endpoint is None:
        return _the_only_one(deployed)
    for name in (endpoint, contract.endpoint_name(environment, endpoint)):
        if name in deployed:
            return deployed[name]
    raise UsageError(
        f"environment {environment!r} has no endpoint {endpoint!r}", f"it has: {', '.join(sorted(deployed))}"
    )


def _the_only_one(deployed: Mapping[str, EndpointSettings]) -> EndpointSettings:
    if len(deployed) > 1:
        raise UsageError("which endpoint?", f"give --endpoint one of: {', '.join(sorted(deployed))}")
    return next(iter(deployed.values()))


def _how_to_deploy(environment: str) -> str:
    if environment == "local":
        return "start it with: python -m tidegate local up"
    return f"deploy it with: npx cdk deploy -c env={environment} '**'"
