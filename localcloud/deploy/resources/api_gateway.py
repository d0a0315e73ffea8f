"""AWS::ApiGateway: REST APIs, their resources and methods."""

import json
from typing import Any, ClassVar

from localcloud.deploy.errors import UpdateRefusedError
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.api_gateway_form import GONE, SERVICE, call, replacing, set_tags, update
from localcloud.deploy.resources.shape import only, without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made

_API_PATHS = {
    "Name": "name",
    "Description": "description",
    "Version": "version",
    "ApiKeySourceType": "apiKeySource",
    "DisableExecuteApiEndpoint": "disableExecuteApiEndpoint",
    "Policy": "policy",
}


class RestApi(ResourceType):
    """An API; `Ref` is its id."""

    name: ClassVar[str] = "AWS::ApiGateway::RestApi"
    handled: ClassVar[frozenset[str]] = frozenset({*_API_PATHS, "EndpointConfiguration", "Tags"})
    attributes: ClassVar[frozenset[str]] = frozenset({"RestApiId", "RootResourceId"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the API."""
        settings = _api_settings(desired)
        key_source = {"apiKeySource": settings.pop("ApiKeySourceType")} if "ApiKeySourceType" in settings else {}
        made = call(scope, "CreateRestApi", {"Name": scope.name(128), **settings}, **key_source)
        return scope.note(made["id"], RestApiId=made["id"], RootResourceId=made["rootResourceId"])

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change its settings."""
        if old.get("EndpointConfiguration") != new.get("EndpointConfiguration"):
            raise UpdateRefusedError("EndpointConfiguration of a REST API cannot change here")
        patches = replacing(_api_settings(old), _api_settings(new), _API_PATHS)
        update(scope, "UpdateRestApi", patches, restApiId=made.physical_id)
        set_tags(scope, f"restapis/{made.physical_id}", old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the API."""
        with ignoring(GONE):
            scope.call(SERVICE, "DeleteRestApi", restApiId=made.physical_id)


def _api_settings(properties: Properties) -> dict[str, Any]:
    """Return the properties with the policy as the text that the API takes."""
    policy = properties.get("Policy")
    if policy is None or isinstance(policy, str):
        return dict(properties)
    return {**properties, "Policy": json.dumps(policy)}


class Resource(ResourceType):
    """A part of a path; `Ref` is its id."""

    name: ClassVar[str] = "AWS::ApiGateway::Resource"
    handled: ClassVar[frozenset[str]] = frozenset({"ParentId", "PathPart", "RestApiId"})
    required: ClassVar[frozenset[str]] = handled
    replaced_by: ClassVar[frozenset[str]] = handled
    attributes: ClassVar[frozenset[str]] = frozenset({"ResourceId"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the resource."""
        identifier = call(scope, "CreateResource", desired)["id"]
        return Made(identifier, {"ResourceId": identifier})

    def update(self, _scope: Scope, made: Made, _old: Properties, _new: Properties) -> Made:
        """Change nothing: every property makes a new resource."""
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the resource."""
        with ignoring(GONE):
            api = properties["RestApiId"]
            scope.call(SERVICE, "DeleteResource", restApiId=api, resourceId=made.physical_id)


_METHOD = ("RestApiId", "ResourceId", "HttpMethod")


class Method(ResourceType):
    """A method of a resource, with what it does."""

    name: ClassVar[str] = "AWS::ApiGateway::Method"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"ApiKeyRequired", "AuthorizationType", "AuthorizerId", "Integration", "MethodResponses", "OperationName",
         "RequestModels", "RequestParameters", "RequestValidatorId", *_METHOD}
    )  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset(_METHOD)
    replaced_by: ClassVar[frozenset[str]] = frozenset(_METHOD)

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Put the method, and then what it answers and does."""
        where = only(desired, *_METHOD)
        settings = without(desired, "Integration", "MethodResponses")
        call(scope, "PutMethod", {"AuthorizationType": "NONE", **settings})
        made = scope.note("|".join(str(where[name]) for name in _METHOD))
        for answer in desired.get("MethodResponses", []):
            call(scope, "PutMethodResponse", {**where, **answer})
        _put_integration(scope, where, desired.get("Integration"))
        return made

    def update(self, scope: Scope, made: Made, _old: Properties, new: Properties) -> Made:
        """Put the method anew: no stage serves it before the next deployment."""
        self.delete(scope, made, new)
        self.create(scope, new)
        return made

    def delete(self, scope: Scope, _made: Made, properties: Properties) -> None:
        """Delete the method."""
        with ignoring(GONE):
            call(scope, "DeleteMethod", only(properties, *_METHOD))


def _put_integration(scope: Scope, where: Properties, integration: Any) -> None:
    if not integration:
        return
    call(scope, "PutIntegration", {**where, **without(integration, "IntegrationResponses")})
    for answer in integration.get("IntegrationResponses", []):
        call(scope, "PutIntegrationResponse", {**where, **answer})
