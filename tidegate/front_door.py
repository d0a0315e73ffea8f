"""Where an endpoint's front door is, as the deployment says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from lambdas import contract
from tidegate.aws import Aws
from tidegate.errors import OperatorError
from tidegate.settings import EndpointSettings


@dataclass(frozen=True)
class FrontDoor:
    """A front door.

    Parameters
    ----------
    url
        Where requests go, with a slash at its end.
    auth
        How callers show who they are.
    described
        All that the deployment says of it.
    """

    url: str
    auth: str
    described: Mapping[str, Any]


def front_door(aws: Aws, endpoint: EndpointSettings) -> FrontDoor | None:
    """Return the endpoint's front door; None where none is declared."""
    name = contract.front_door_parameter(endpoint.environment, endpoint.name)
    try:
        text = aws.ssm.get_parameter(Name=name)["Parameter"]["Value"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ParameterNotFound":
            return None
        raise
    described = json.loads(text)
    return FrontDoor(_reachable(described, aws.ssm.meta.endpoint_url), described["auth"], described)


def api_key(aws: Aws, endpoint: EndpointSettings, client: str) -> str:
    """Return the API key of a client.

    Raises
    ------
    OperatorError
        When there is none.
    """
    name = f"{endpoint.name}-{client}"
    pages = aws.apigateway.get_paginator("get_api_keys").paginate(nameQuery=name, includeValues=True)
    for key in (each for page in pages for each in page["items"]):
        if key["name"] == name:
            return str(key["value"])
    raise OperatorError(
        f"{endpoint.name} has no client {client!r} with an API key",
        f"add it to front_door.clients in environments/{endpoint.environment}.yaml, and deploy",
    )


def _reachable(described: Mapping[str, Any], cloud: str) -> str:
    """Return the API's address: a local cloud has all APIs on its own, for their names lead nowhere."""
    if urlsplit(cloud).scheme != "http":
        return str(described["url"])
    return f"{cloud.rstrip('/')}/_aws/execute-api/{described['api']}/{described['stage']}/"
