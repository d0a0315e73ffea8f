"""API Gateway's API for an API's authorizers, validators, models and gateway responses."""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.errors import NotSimulatedError
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, OneOf, refuse_others
from localcloud.services.api_gateway import templates
from localcloud.services.api_gateway.api_service import function_of
from localcloud.services.api_gateway.gateway_errors import STATUS_OF, default_response
from localcloud.services.api_gateway.paging import page
from localcloud.services.api_gateway.patches import Converter, patched, truth
from localcloud.services.api_gateway.problems import bad_request, conflict, missing
from localcloud.services.api_gateway.rest_api import Apis, Design, Record, identifier

Params = Mapping[str, Any]

_AUTHORIZER: dict[str, Any] = {
    **dict.fromkeys(
        ("id", "restApiId", "name", "authType", "authorizerUri", "identitySource", "identityValidationExpression"), ANY
    ),
    "authorizerResultTtlInSeconds": ANY,
    "type": OneOf("TOKEN", "REQUEST"),
}
_AUTHORIZER_PATCHES: dict[str, Converter] = {
    **dict.fromkeys(("name", "type", "authType", "authorizerUri", "identitySource"), str),
    "identityValidationExpression": str,
    "authorizerResultTtlInSeconds": int,
}
_VALIDATOR_PATCHES: dict[str, Converter] = {
    "name": str,
    "validateRequestBody": truth,
    "validateRequestParameters": truth,
}
_SOURCE = re.compile(r"method\.request\.(header|querystring)\.[^\s,]+|context\.[\w.]+|stageVariables\.\w+")
_LONGEST_TTL = 3600


class PartService(Service):
    """What an API has beside its resources.

    Parameters
    ----------
    apis
        Where APIs are kept.
    """

    name: ClassVar[str] = "apigateway"

    def __init__(self, apis: Apis) -> None:
        self._apis = apis

    @operation("CreateAuthorizer")
    def create_authorizer(self, params: Params) -> Record:
        """Create an authorizer that is a function."""
        defaults = {"authorizerResultTtlInSeconds": 300, "authType": "custom"}
        made = {"id": identifier(6), **defaults, **_without_api(params)}
        _check_authorizer(made)
        self._design(params).authorizers[made["id"]] = made
        return made

    @operation("GetAuthorizer")
    def get_authorizer(self, params: Params) -> Record:
        """Return an authorizer."""
        return _found(self._design(params).authorizers, params["authorizerId"], "Authorizer")

    @operation("GetAuthorizers")
    def get_authorizers(self, params: Params) -> Record:
        """Return all authorizers."""
        return page(list(self._design(params).authorizers.values()), params)

    @operation("UpdateAuthorizer")
    def update_authorizer(self, params: Params) -> Record:
        """Change an authorizer."""
        changed = patched(self.get_authorizer(params), params.get("patchOperations", []), _AUTHORIZER_PATCHES)
        _check_authorizer(changed)
        self._design(params).authorizers[changed["id"]] = changed
        return changed

    @operation("DeleteAuthorizer")
    def delete_authorizer(self, params: Params) -> None:
        """Delete an authorizer that no method asks."""
        self.get_authorizer(params)
        design = self._design(params)
        if any(method.get("authorizerId") == params["authorizerId"] for method in _methods(design)):
            raise conflict(f"Cannot delete authorizer '{params['authorizerId']}', is referenced in a method")
        del design.authorizers[params["authorizerId"]]

    @operation("CreateRequestValidator")
    def create_validator(self, params: Params) -> Record:
        """Create a validator."""
        defaults = {"validateRequestBody": False, "validateRequestParameters": False}
        made = {"id": identifier(6), **defaults, **_without_api(params)}
        self._design(params).validators[made["id"]] = made
        return made

    @operation("GetRequestValidator")
    def get_validator(self, params: Params) -> Record:
        """Return a validator."""
        return _found(self._design(params).validators, params["requestValidatorId"], "Request Validator")

    @operation("GetRequestValidators")
    def get_validators(self, params: Params) -> Record:
        """Return all validators."""
        return page(list(self._design(params).validators.values()), params)

    @operation("UpdateRequestValidator")
    def update_validator(self, params: Params) -> Record:
        """Change a validator."""
        changed = patched(self.get_validator(params), params.get("patchOperations", []), _VALIDATOR_PATCHES)
        self._design(params).validators[changed["id"]] = changed
        return changed

    @operation("DeleteRequestValidator")
    def delete_validator(self, params: Params) -> None:
        """Delete a validator."""
        self.get_validator(params)
        del self._design(params).validators[params["requestValidatorId"]]

    @operation("CreateModel")
    def create_model(self, params: Params) -> Record:
        """Create a model: a JSON Schema, draft 4, with a name."""
        models, name = self._design(params).models, params["name"]
        if name in models:
            raise conflict(f"Model name already exists for this REST API: {name}")
        made = {"id": identifier(6), **_without_api(params)}
        _check_schema(made)
        models[name] = made
        return made

    @operation("GetModel")
    def get_model(self, params: Params) -> Record:
        """Return a model."""
        return _found(self._design(params).models, params["modelName"], "Model")

    @operation("GetModels")
    def get_models(self, params: Params) -> Record:
        """Return all models."""
        return page(list(self._design(params).models.values()), params)

    @operation("UpdateModel")
    def update_model(self, params: Params) -> Record:
        """Change a model's schema or description."""
        changes = params.get("patchOperations", [])
        changed = patched(self.get_model(params), changes, {"schema": str, "description": str})
        _check_schema(changed)
        self._design(params).models[changed["name"]] = changed
        return changed

    @operation("DeleteModel")
    def delete_model(self, params: Params) -> None:
        """Delete a model that no method needs."""
        self.get_model(params)
        design, name = self._design(params), params["modelName"]
        if any(name in (method.get("requestModels") or {}).values() for method in _methods(design)):
            raise conflict(f"Cannot delete model '{name}', is referenced in a method")
        del design.models[name]

    @operation("PutGatewayResponse")
    def put_gateway_response(self, params: Params) -> Record:
        """Say how an error is answered."""
        _check_gateway_response(params)
        made = {"defaultResponse": False, **_without_api(params)}
        self._design(params).gateway_responses[params["responseType"]] = made
        return made

    @operation("GetGatewayResponse")
    def get_gateway_response(self, params: Params) -> Record:
        """Return how an error is answered."""
        kind = params["responseType"]
        return self._design(params).gateway_responses.get(kind) or default_response(kind)

    @operation("GetGatewayResponses")
    def get_gateway_responses(self, params: Params) -> Record:
        """Return how all errors are answered."""
        own = self._design(params).gateway_responses
        return page([own.get(kind) or default_response(kind) for kind in sorted(STATUS_OF)], params)

    @operation("DeleteGatewayResponse")
    def delete_gateway_response(self, params: Params) -> None:
        """Answer an error as it is answered by default."""
        responses = self._design(params).gateway_responses
        _found(responses, params["responseType"], "Gateway response type")
        del responses[params["responseType"]]

    def _design(self, params: Params) -> Design:
        return self._apis.get(params["restApiId"]).design


def _without_api(params: Params) -> Record:
    return {key: value for key, value in params.items() if key != "restApiId"}


def _found(records: Mapping[str, Record], key: str, what: str) -> Record:
    if key not in records:
        raise missing(what, key)
    return records[key]


def _methods(design: Design) -> list[Record]:
    return [method for resource in design.resources.values() for method in resource["resourceMethods"].values()]


def _check_authorizer(made: Record) -> None:
    refuse_others("apigateway:CreateAuthorizer", made, _AUTHORIZER)
    function_of(str(made.get("authorizerUri", "")))
    sources = [part.strip() for part in str(made.get("identitySource") or "").split(",") if part.strip()]
    if not sources and (made["type"] == "TOKEN" or made["authorizerResultTtlInSeconds"]):
        raise bad_request("Identity source is required for TOKEN authorizers, and for others whose results are cached")
    for source in sources:
        if not _SOURCE.fullmatch(source):
            raise bad_request(f"Invalid identity source specified: {source}")
    if not 0 <= made["authorizerResultTtlInSeconds"] <= _LONGEST_TTL:
        raise bad_request(f"Authorizer result TTL must be between 0 and {_LONGEST_TTL} seconds")


def _check_schema(model: Record) -> None:
    if model["contentType"] != "application/json":
        raise NotSimulatedError(f"models of {model['contentType']} (here only application/json)")
    try:
        schema = json.loads(model.get("schema") or "{}")
    except ValueError as error:
        raise bad_request(f"Invalid model specified: Validation Result: warnings : [], errors : [{error}]") from error
    if "apigateway.amazonaws.com" in json.dumps(schema):
        raise NotSimulatedError("a model that refers to another")


def _check_gateway_response(params: Params) -> None:
    where = f"the gateway response {params['responseType']}"
    for text in (params.get("responseTemplates") or {}).values():
        templates.check(text, where)
    for name, source in (params.get("responseParameters") or {}).items():
        if not name.startswith("gatewayresponse.header."):
            raise NotSimulatedError(f"{name} in {where} (here only headers)")
        if not re.fullmatch(r"'.*'|context\..+|stageVariables\..+|method\.request\.header\..+", source):
            raise NotSimulatedError(f"{source!r} in {where}")
