"""AWS::ApiGateway: authorizers, validators, models and gateway responses."""

import json
from typing import Any, ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.api_gateway_form import GONE, SERVICE, call, replacing, update
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made

_AUTHORIZER_PATHS = {
    "Name": "name",
    "Type": "type",
    "AuthType": "authType",
    "AuthorizerUri": "authorizerUri",
    "IdentitySource": "identitySource",
    "IdentityValidationExpression": "identityValidationExpression",
    "AuthorizerResultTtlInSeconds": "authorizerResultTtlInSeconds",
}


class Authorizer(ResourceType):
    """A function that tells who a caller is, and what it may do."""

    name: ClassVar[str] = "AWS::ApiGateway::Authorizer"
    handled: ClassVar[frozenset[str]] = frozenset({*_AUTHORIZER_PATHS, "RestApiId"})
    required: ClassVar[frozenset[str]] = frozenset({"Name", "RestApiId", "Type"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"RestApiId"})
    attributes: ClassVar[frozenset[str]] = frozenset({"AuthorizerId"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the authorizer."""
        identifier = call(scope, "CreateAuthorizer", desired)["id"]
        return Made(identifier, {"AuthorizerId": identifier})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change its settings."""
        patches = replacing(old, new, _AUTHORIZER_PATHS)
        update(scope, "UpdateAuthorizer", patches, restApiId=new["RestApiId"], authorizerId=made.physical_id)
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the authorizer."""
        with ignoring(GONE):
            api = properties["RestApiId"]
            scope.call(SERVICE, "DeleteAuthorizer", restApiId=api, authorizerId=made.physical_id)


_VALIDATOR_PATHS = {
    "ValidateRequestBody": "validateRequestBody",
    "ValidateRequestParameters": "validateRequestParameters",
}


class RequestValidator(ResourceType):
    """What is asked of a request before it reaches the integration."""

    name: ClassVar[str] = "AWS::ApiGateway::RequestValidator"
    handled: ClassVar[frozenset[str]] = frozenset({"Name", "RestApiId", *_VALIDATOR_PATHS})
    required: ClassVar[frozenset[str]] = frozenset({"RestApiId"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"Name", "RestApiId"})
    attributes: ClassVar[frozenset[str]] = frozenset({"RequestValidatorId"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the validator."""
        identifier = call(scope, "CreateRequestValidator", desired)["id"]
        return Made(identifier, {"RequestValidatorId": identifier})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change what it asks."""
        defaults = dict.fromkeys(_VALIDATOR_PATHS, False)
        patches = replacing({**defaults, **old}, {**defaults, **new}, _VALIDATOR_PATHS)
        where = {"restApiId": new["RestApiId"], "requestValidatorId": made.physical_id}
        update(scope, "UpdateRequestValidator", patches, **where)
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the validator."""
        with ignoring(GONE):
            api = properties["RestApiId"]
            scope.call(SERVICE, "DeleteRequestValidator", restApiId=api, requestValidatorId=made.physical_id)


class Model(ResourceType):
    """A JSON Schema with a name, which is its `Ref`."""

    name: ClassVar[str] = "AWS::ApiGateway::Model"
    handled: ClassVar[frozenset[str]] = frozenset({"ContentType", "Description", "Name", "RestApiId", "Schema"})
    required: ClassVar[frozenset[str]] = frozenset({"RestApiId"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"ContentType", "Name", "RestApiId"})
    name_property: ClassVar[str | None] = "Name"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the model."""
        defaults = {"ContentType": "application/json", "Name": scope.name(64).replace("-", "")}
        return Made(call(scope, "CreateModel", {**defaults, **_with_text(desired)})["name"])

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change schema and description."""
        paths = {"Schema": "schema", "Description": "description"}
        patches = replacing(_with_text(old), _with_text(new), paths)
        update(scope, "UpdateModel", patches, restApiId=new["RestApiId"], modelName=made.physical_id)
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the model."""
        with ignoring(GONE):
            scope.call(SERVICE, "DeleteModel", restApiId=properties["RestApiId"], modelName=made.physical_id)


def _with_text(properties: Properties) -> dict[str, Any]:
    """Return the properties with the schema as the text that the API takes."""
    schema = properties.get("Schema")
    if schema is None or isinstance(schema, str):
        return dict(properties)
    return {**properties, "Schema": json.dumps(schema)}


class GatewayResponse(ResourceType):
    """How an error of the gateway itself is answered."""

    name: ClassVar[str] = "AWS::ApiGateway::GatewayResponse"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"ResponseParameters", "ResponseTemplates", "ResponseType", "RestApiId", "StatusCode"}
    )
    required: ClassVar[frozenset[str]] = frozenset({"ResponseType", "RestApiId"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"ResponseType", "RestApiId"})
    attributes: ClassVar[frozenset[str]] = frozenset({"Id"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Put the response."""
        call(scope, "PutGatewayResponse", desired)
        identifier = f"{desired['RestApiId']}|{desired['ResponseType']}"
        return Made(identifier, {"Id": identifier})

    def update(self, scope: Scope, made: Made, _old: Properties, new: Properties) -> Made:
        """Put the response again: it replaces the one before."""
        call(scope, "PutGatewayResponse", new)
        return made

    def delete(self, scope: Scope, _made: Made, properties: Properties) -> None:
        """Delete the response."""
        with ignoring(GONE):
            where = {"restApiId": properties["RestApiId"], "responseType": properties["ResponseType"]}
            scope.call(SERVICE, "DeleteGatewayResponse", **where)
