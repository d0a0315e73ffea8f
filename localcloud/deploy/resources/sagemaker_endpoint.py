"""AWS::SageMaker::Endpoint."""

from typing import Any, ClassVar

from localcloud.deploy.errors import ResourceFailedError
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.sagemaker import GONE, NAME_LIMIT, set_tags, tags_of
from localcloud.deploy.resources.shape import only, without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made

_TIMEOUT = 3600.0
_IN_PROGRESS = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
_UPDATE_ONLY = ("ExcludeRetainedVariantProperties", "RetainAllVariantProperties", "RetainDeploymentConfig")


class Endpoint(ResourceType):
    """An endpoint. An edit of any property but the name sends `UpdateEndpoint` with the template's configuration.

    This is what makes an edited endpoint dangerous: `RetainAllVariantProperties` is false unless the template says
    otherwise, and the configuration is the template's, whatever has been put live meanwhile.
    """

    name: ClassVar[str] = "AWS::SageMaker::Endpoint"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"DeploymentConfig", "EndpointConfigName", "EndpointName", "Tags", *_UPDATE_ONLY}
    )
    required: ClassVar[frozenset[str]] = frozenset({"EndpointConfigName"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"EndpointName"})
    name_property: ClassVar[str | None] = "EndpointName"
    attributes: ClassVar[frozenset[str]] = frozenset({"EndpointArn", "EndpointName"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the endpoint and wait until it is in service."""
        name = desired.get("EndpointName") or scope.name(NAME_LIMIT)
        settings = only(desired, "EndpointConfigName", "DeploymentConfig")
        answer = scope.call("sagemaker", "CreateEndpoint", EndpointName=name, Tags=tags_of(desired), **settings)
        made = scope.note(answer["EndpointArn"], EndpointArn=answer["EndpointArn"], EndpointName=name)
        _in_service(scope, name, desired["EndpointConfigName"])
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Send `UpdateEndpoint` and wait until the endpoint serves the configuration asked for."""
        name = made.attributes["EndpointName"]
        scope.call("sagemaker", "UpdateEndpoint", EndpointName=name, **without(new, "EndpointName", "Tags"))
        _in_service(scope, name, new["EndpointConfigName"])
        set_tags(scope, made.physical_id, old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the endpoint and wait until it is gone; one that is busy is waited for first."""
        name = made.attributes["EndpointName"]
        if _describe(scope, name) is None:
            return
        _settled(scope, name)
        scope.call("sagemaker", "DeleteEndpoint", EndpointName=name)
        gone = scope.wait(lambda: _gone(scope, name), timeout=_TIMEOUT, what=f"the end of endpoint {name}")
        if gone.get("EndpointStatus") == "Failed":
            raise ResourceFailedError(f"endpoint {name} could not be deleted: {gone.get('FailureReason')}")


def _describe(scope: Scope, name: str) -> dict[str, Any] | None:
    with ignoring(*GONE):
        return scope.call("sagemaker", "DescribeEndpoint", EndpointName=name)
    return None


def _settled(scope: Scope, name: str) -> dict[str, Any]:
    """Return the endpoint's description once nothing is in progress, or {} once it is gone."""

    def look() -> dict[str, Any] | None:
        found = _describe(scope, name)
        if found is None:
            return {}
        return None if found["EndpointStatus"] in _IN_PROGRESS else found

    return scope.wait(look, timeout=_TIMEOUT, what=f"endpoint {name}")


def _gone(scope: Scope, name: str) -> dict[str, Any] | None:
    found = _describe(scope, name)
    if found is None:
        return {}
    return found if found["EndpointStatus"] == "Failed" else None


def _in_service(scope: Scope, name: str, configuration: str) -> None:
    """Wait; a failed update shows as InService on the configuration before, with a FailureReason."""
    found = _settled(scope, name)
    status, reason = found.get("EndpointStatus"), found.get("FailureReason")
    if status != "InService":
        raise ResourceFailedError(f"endpoint {name} is {status}: {reason}")
    if found["EndpointConfigName"] != configuration or reason:
        raise ResourceFailedError(f"endpoint {name} stays on {found['EndpointConfigName']}: {reason}")
