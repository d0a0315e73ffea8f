"""What the front door's own log says of requests that failed; callers are told no more than what they can do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lambdas import contract
from tidegate.aws import Aws
from tidegate.demo.observations import Request
from tidegate.settings import EndpointSettings

_LINES = '"no prediction"'
_HANDLER = "predict"
_PREDICTION = re.compile(r"urn:tidegate:prediction:([\w-]+)")


def explain(aws: Aws, endpoint: EndpointSettings, requests: list[Request]) -> None:
    """Put the cause in the log in place of what the caller of a failed request was told."""
    if any(_prediction(request) for request in requests):
        requests[:] = explained(requests, dict(_causes(aws, endpoint)))


def explained(requests: Sequence[Request], causes: Mapping[str, str]) -> list[Request]:
    """Return the requests with their causes; `causes` are by prediction ids."""
    return [
        replace(request, detail=causes[found]) if (found := _prediction(request)) in causes else request
        for request in requests
    ]


def _prediction(request: Request) -> str:
    found = _PREDICTION.search(request.detail) if request.failure else None
    return found[1] if found else ""


def _causes(aws: Aws, endpoint: EndpointSettings) -> Iterator[tuple[str, str]]:
    name = endpoint.name.removesuffix(f"-{endpoint.environment}")
    function = contract.front_door_function(endpoint.environment, name, _HANDLER)
    group = aws.functions.get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]
    for page in aws.logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=_LINES):
        for event in page["events"]:
            line = json.loads(event["message"])
            yield line["prediction"], line["message"]
