"""How the deployment says that an endpoint is monitored for drift, and retrained: one SSM parameter for each."""

from __future__ import annotations

import json

from lambdas import contract
from lambdas.monitoring.errors import SettingsError as MonitoringSettingsError
from lambdas.monitoring.settings import Settings as Monitoring
from lambdas.retraining.settings import Settings as Retraining
from lambdas.retraining.settings import SettingsError as RetrainingSettingsError
from tidegate.aws import Aws
from tidegate.errors import OperatorError
from tidegate.settings import EndpointSettings

_OTHER_VERSION = "is this checkout of the same version as what is deployed? deploy the environment again"


def monitoring(aws: Aws, endpoint: EndpointSettings) -> Monitoring | None:
    """Return how the endpoint is monitored; None where that is not declared."""
    text = _parameter(aws, contract.monitoring_parameter(endpoint.environment, ""), endpoint.name)
    try:
        return None if text is None else Monitoring.from_json(text)
    except MonitoringSettingsError as error:
        raise OperatorError(f"{endpoint.name}: {error}", _OTHER_VERSION) from error


def retraining(aws: Aws, endpoint: EndpointSettings) -> Retraining | None:
    """Return when and how the endpoint's model is retrained; None where that is not declared."""
    text = _parameter(aws, contract.retraining_parameter(endpoint.environment, ""), endpoint.name)
    try:
        return None if text is None else Retraining.from_json(text)
    except RetrainingSettingsError as error:
        raise OperatorError(f"{endpoint.name}: {error}", _OTHER_VERSION) from error


def how_to_declare(endpoint: EndpointSettings, section: str) -> str:
    """Return what to do where a section is not declared for the endpoint."""
    return f"add {section}: to the endpoint in environments/{endpoint.environment}.yaml, and deploy"


def _parameter(aws: Aws, path: str, name: str) -> str | None:
    """Return the parameter of an endpoint, which is told by its content, as all of a path are read at once."""
    for page in aws.ssm.get_paginator("get_parameters_by_path").paginate(Path=path.rstrip("/")):
        for parameter in page["Parameters"]:
            if _is_about(parameter["Value"], name):
                return parameter["Value"]
    return None


def _is_about(text: str, name: str) -> bool:
    try:
        return bool(json.loads(text).get("endpoint") == name)
    except (ValueError, AttributeError):
        return False
