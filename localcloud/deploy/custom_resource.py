"""Custom resources: a Lambda function is asked, and answers to a URL."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.deploy.coercion import text
from localcloud.deploy.errors import ResourceFailedError, UnsupportedError, UpdateRefusedError
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.scope import Scope
from localcloud.deploy.state import Made

DEFAULT_TIMEOUT = 3600.0
_ANSWER_LIMIT = 4096


class CustomResource(ResourceType):
    """``Custom::*`` and ``AWS::CloudFormation::CustomResource`` backed by a Lambda function."""

    name: ClassVar[str] = "AWS::CloudFormation::CustomResource"
    handled: ClassVar[frozenset[str]] = frozenset({"ServiceToken", "ServiceTimeout"})
    required: ClassVar[frozenset[str]] = frozenset({"ServiceToken"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Ask for a creation; an answer of FAILED still leaves something to delete, as on AWS."""
        scope.note(scope.name(255))
        answer = _ask(scope, "Create", desired)
        if "PhysicalResourceId" in answer:
            scope.note(str(answer["PhysicalResourceId"]))
        return _made(answer)

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Ask for an update; another physical id in the answer means that the function made a new resource."""
        if old.get("ServiceToken") != new.get("ServiceToken"):
            raise UpdateRefusedError("the ServiceToken of a custom resource cannot change")
        more = {"PhysicalResourceId": made.physical_id, "OldResourceProperties": as_text(old)}
        return _made(_ask(scope, "Update", new, **more))

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Ask for a deletion."""
        _made(_ask(scope, "Delete", properties, PhysicalResourceId=made.physical_id))


def as_text(value: Any) -> Any:
    """Return `value` with its scalars as text: all that a custom resource is ever given."""
    if isinstance(value, Mapping):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return text(value)


def _ask(scope: Scope, request_type: str, properties: Properties, **more: Any) -> dict[str, Any]:
    function = str(properties["ServiceToken"])
    if ":lambda:" not in function:
        raise UnsupportedError(f"ServiceToken {function} is not handled; handled are Lambda functions")
    request_id = str(uuid.uuid4())
    url, wait = scope.access.callback_url(request_id)
    request = {
        "RequestType": request_type,
        "ResponseURL": url,
        "StackId": scope.stack_id,
        "RequestId": request_id,
        "LogicalResourceId": scope.logical_id,
        "ResourceType": scope.type,
        "ResourceProperties": as_text(properties),
        **more,
    }
    scope.call("lambda", "Invoke", FunctionName=function, InvocationType="Event", Payload=json.dumps(request).encode())
    timeout = float(properties.get("ServiceTimeout", DEFAULT_TIMEOUT))
    return _checked(request, _wait(wait, timeout, function, request_id))


def _wait(wait: Any, timeout: float, function: str, request_id: str) -> bytes:
    try:
        body: bytes = wait(timeout)
    except TimeoutError:
        raise ResourceFailedError(
            f"CloudFormation did not receive a response from your Custom Resource within {timeout:g} s. "
            f"See the logs of {function} for requestId [{request_id}]"
        ) from None
    return body


def _checked(request: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    if len(body) > _ANSWER_LIMIT:
        raise ResourceFailedError(f"Response object is too long: {len(body)} bytes, {_ANSWER_LIMIT} are allowed")
    try:
        answer = json.loads(body)
    except ValueError:
        raise ResourceFailedError(f"the custom resource's response is not JSON: {body[:200]!r}") from None
    for key in ("RequestId", "StackId", "LogicalResourceId"):
        if answer.get(key) != request[key]:
            raise ResourceFailedError(f"the custom resource's response has {key} {answer.get(key)!r}")
    if answer.get("Status") not in ("SUCCESS", "FAILED"):
        raise ResourceFailedError(f"the custom resource's response has Status {answer.get('Status')!r}")
    return dict(answer)


def _made(answer: Mapping[str, Any]) -> Made:
    if answer["Status"] == "FAILED":
        raise ResourceFailedError(
            f"Received response status [FAILED] from custom resource. Message returned: "
            f"{answer.get('Reason', '(no reason given)')} (RequestId: {answer['RequestId']})"
        )
    physical_id = answer.get("PhysicalResourceId")
    if not physical_id or not isinstance(physical_id, str):
        raise ResourceFailedError("Invalid PhysicalResourceId in the custom resource's response")
    data = answer.get("Data") or {}
    if not isinstance(data, Mapping):
        raise ResourceFailedError("Data of the custom resource's response is not a map")
    return Made(physical_id, dict(data), bool(answer.get("NoEcho", False)))
