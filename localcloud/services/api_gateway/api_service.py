"""API Gateway's API for REST APIs, resources, methods and integrations."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.errors import NotSimulatedError
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, OneOf, refuse_others
from localcloud.services.api_gateway import templates
from localcloud.services.api_gateway.paging import page
from localcloud.services.api_gateway.patches import Converter, patched, truth
from localcloud.services.api_gateway.problems import bad_request, conflict, missing
from localcloud.services.api_gateway.rest_api import Apis, Design, Record, RestApi, identifier

Params = Mapping[str, Any]

_API: dict[str, Any] = {
    **dict.fromkeys(("name", "description", "version", "policy", "tags", "disableExecuteApiEndpoint"), ANY),
    # Plain HTTP on loopback: what a TLS policy asks for has no counterpart.
    **dict.fromkeys(("securityPolicy", "endpointAccessMode"), ANY),
    "apiKeySource": OneOf("HEADER", "AUTHORIZER"),
    "endpointConfiguration": {"types": [OneOf("REGIONAL")], "ipAddressType": ANY},
}
_API_PATCHES: dict[str, Converter] = {
    **dict.fromkeys(("name", "description", "apiKeySource", "policy", "version"), str),
    "disableExecuteApiEndpoint": truth,
}
_WHERE = dict.fromkeys(("restApiId", "resourceId", "httpMethod"), ANY)
_METHOD: dict[str, Any] = {
    **_WHERE,
    **dict.fromkeys(
        ("authorizerId", "apiKeyRequired", "operationName", "requestParameters", "requestModels", "requestValidatorId"),
        ANY,
    ),
    "authorizationType": OneOf("NONE", "AWS_IAM", "CUSTOM"),
}
_INTEGRATION: dict[str, Any] = {
    **_WHERE,
    **dict.fromkeys(("uri", "timeoutInMillis", "passthroughBehavior", "cacheNamespace", "requestTemplates"), ANY),
    "type": OneOf("AWS_PROXY", "MOCK"),
    "integrationHttpMethod": ANY,
    "connectionType": OneOf("INTERNET"),
    "responseTransferMode": OneOf("BUFFERED"),
}
_ANSWER: dict[str, Any] = {
    **_WHERE,
    **dict.fromkeys(("statusCode", "responseParameters", "responseModels", "responseTemplates"), ANY),
}
_FUNCTION_URI = re.compile(r"arn:aws:apigateway:[^:]+:lambda:path/2015-03-31/functions/(arn:aws:lambda:.+)/invocations")
_SHORTEST_MS, _LONGEST_MS = 50, 29_000


def function_of(uri: str) -> str:
    """Return the ARN of the function in an integration's URI; raise `AwsError` if there is none."""
    found = _FUNCTION_URI.fullmatch(uri)
    if found is None:
        raise bad_request(f"Invalid ARN specified in the request: {uri!r} is no URI of a function's invocations")
    return found[1]


class ApiService(Service):
    """REST APIs, their resources, methods and integrations.

    Parameters
    ----------
    apis
        Where they are kept.
    """

    name: ClassVar[str] = "apigateway"

    def __init__(self, apis: Apis) -> None:
        self._apis = apis

    @operation("CreateRestApi")
    def create_rest_api(self, params: Params) -> Record:
        """Create an API that has nothing but its root."""
        refuse_others("apigateway:CreateRestApi", params, _API)
        defaults = {"apiKeySource": "HEADER", "disableExecuteApiEndpoint": False}
        settings = {**defaults, **params}
        if not (params.get("endpointConfiguration") or {}).get("types"):
            raise NotSimulatedError("an edge-optimised REST API, AWS's default (ask for the endpoint type REGIONAL)")
        api = RestApi(identifier(), settings)
        self._apis.by_id[api.id] = api
        return api.describe()

    @operation("GetRestApi")
    def get_rest_api(self, params: Params) -> Record:
        """Return an API's settings."""
        return self._api(params).describe()

    @operation("GetRestApis")
    def get_rest_apis(self, params: Params) -> Record:
        """Return all APIs."""
        return page([api.describe() for api in self._apis.by_id.values()], params)

    @operation("UpdateRestApi")
    def update_rest_api(self, params: Params) -> Record:
        """Change an API's settings."""
        api = self._api(params)
        changed = patched(api.design.settings, params.get("patchOperations", []), _API_PATCHES)
        refuse_others("apigateway:UpdateRestApi", changed, _API)
        api.design.settings = changed
        return api.describe()

    @operation("DeleteRestApi")
    def delete_rest_api(self, params: Params) -> None:
        """Delete an API with all that it has."""
        api = self._api(params)
        del self._apis.by_id[api.id]
        for told in self._apis.removed:
            told(api.id)

    @operation("CreateResource")
    def create_resource(self, params: Params) -> Record:
        """Create a resource below another."""
        api, part = self._api(params), str(params["pathPart"])
        parent = api.design.resource(params["parentId"])
        _check_part(api.design, parent, part)
        made = {
            "id": identifier(6),
            "parentId": parent["id"],
            "pathPart": part,
            "path": f"{parent['path'].rstrip('/')}/{part}",
            "resourceMethods": {},
        }
        api.design.resources[made["id"]] = made
        return _shown(made)

    @operation("GetResource")
    def get_resource(self, params: Params) -> Record:
        """Return a resource."""
        return _shown(self._design(params).resource(params["resourceId"]), params.get("embed", []))

    @operation("GetResources")
    def get_resources(self, params: Params) -> Record:
        """Return all resources."""
        resources = sorted(self._design(params).resources.values(), key=lambda each: str(each["path"]))
        return page([_shown(each, params.get("embed", [])) for each in resources], params)

    @operation("DeleteResource")
    def delete_resource(self, params: Params) -> None:
        """Delete a resource and those below it."""
        resources = self._design(params).resources
        gone = self._design(params).resource(params["resourceId"])
        if "parentId" not in gone:
            raise bad_request("Root resource cannot be deleted")
        below = [key for key, each in resources.items() if str(each["path"]).startswith(f"{gone['path']}/")]
        for key in (gone["id"], *below):
            resources.pop(key, None)

    @operation("PutMethod")
    def put_method(self, params: Params) -> Record:
        """Add a method to a resource."""
        refuse_others("apigateway:PutMethod", params, _METHOD)
        design, verb = self._design(params), params["httpMethod"]
        methods = design.resource(params["resourceId"])["resourceMethods"]
        if verb in methods:
            raise conflict("Method already exists for this resource")
        method = {"apiKeyRequired": False, **{k: v for k, v in params.items() if k not in ("restApiId", "resourceId")}}
        _check_method(design, method)
        methods[verb] = method
        return method

    @operation("GetMethod")
    def get_method(self, params: Params) -> Record:
        """Return a method with its integration."""
        return self._method(params)

    @operation("DeleteMethod")
    def delete_method(self, params: Params) -> None:
        """Delete a method with its integration."""
        self._method(params)
        del self._design(params).resource(params["resourceId"])["resourceMethods"][params["httpMethod"]]

    @operation("PutMethodResponse")
    def put_method_response(self, params: Params) -> Record:
        """Declare an answer of a method."""
        return self._put_answer(self._method(params).setdefault("methodResponses", {}), params, "PutMethodResponse")

    @operation("PutIntegration")
    def put_integration(self, params: Params) -> Record:
        """Say what a method does; what was said before is replaced."""
        refuse_others("apigateway:PutIntegration", params, _INTEGRATION)
        method, kind = self._method(params), params["type"]
        integration = {key: value for key, value in params.items() if key not in _WHERE}
        verb = integration.pop("integrationHttpMethod", None)
        if kind == "AWS_PROXY":
            _check_function(integration, verb)
        made = {"timeoutInMillis": _LONGEST_MS, "passthroughBehavior": "WHEN_NO_MATCH", **integration}
        method["methodIntegration"] = {**made, "cacheNamespace": params["resourceId"]}
        if verb:
            method["methodIntegration"]["httpMethod"] = verb
        return dict(method["methodIntegration"])

    @operation("GetIntegration")
    def get_integration(self, params: Params) -> Record:
        """Return what a method does."""
        return self._integration(params)

    @operation("DeleteIntegration")
    def delete_integration(self, params: Params) -> None:
        """Delete what a method does."""
        self._integration(params)
        del self._method(params)["methodIntegration"]

    @operation("PutIntegrationResponse")
    def put_integration_response(self, params: Params) -> Record:
        """Say how a MOCK answers."""
        answers = self._integration(params).setdefault("integrationResponses", {})
        return self._put_answer(answers, params, "PutIntegrationResponse")

    def _put_answer(self, answers: Record, params: Params, name: str) -> Record:
        refuse_others(f"apigateway:{name}", params, _ANSWER)
        for text in (params.get("responseTemplates") or {}).values():
            templates.check(text, f"apigateway:{name}.responseTemplates")
        made = {key: value for key, value in params.items() if key not in _WHERE}
        answers[params["statusCode"]] = made
        return made

    def _api(self, params: Params) -> RestApi:
        return self._apis.get(params["restApiId"])

    def _design(self, params: Params) -> Design:
        return self._api(params).design

    def _method(self, params: Params) -> Record:
        return self._design(params).method(params["resourceId"], params["httpMethod"])

    def _integration(self, params: Params) -> Record:
        found: Record | None = self._method(params).get("methodIntegration")
        if found is None:
            raise missing("Integration")
        return found


def _shown(resource: Record, embed: Any = ()) -> Record:
    """Return a resource as GetResource shows it: its methods are named, and told of only when they are asked for."""
    methods = {verb: method if "methods" in embed else {} for verb, method in resource["resourceMethods"].items()}
    shown = {key: value for key, value in resource.items() if key != "resourceMethods"}
    return {**shown, "resourceMethods": methods} if methods else shown


def _check_part(design: Design, parent: Record, part: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9._~:@$-]+|\{[A-Za-z0-9._:-]+\+?\}", part):
        message = (
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the"
        )
        raise bad_request(f"{message} beginning and the end: {part}")
    siblings = [each for each in design.resources.values() if each.get("parentId") == parent["id"]]
    if parent["path"].endswith("+}"):
        raise bad_request("Cannot create a child of a resource with a greedy path variable")
    if any(each["pathPart"] == part for each in siblings):
        raise conflict(f"Another resource with the same parent already has this name: {part}")
    if part.startswith("{") and any(each["pathPart"].startswith("{") for each in siblings if "+" not in part):
        raise bad_request(f"A sibling ({siblings[0]['pathPart']}) of this resource already has a variable path part")


def _check_method(design: Design, method: Record) -> None:
    if method["authorizationType"] == "CUSTOM" and method.get("authorizerId") not in design.authorizers:
        raise bad_request("Invalid authorizer ID specified. Setting the authorization type to CUSTOM requires one.")
    if method.get("requestValidatorId") and method["requestValidatorId"] not in design.validators:
        raise bad_request("Invalid Request Validator identifier specified")
    for model in (method.get("requestModels") or {}).values():
        if model not in design.models and model not in ("Empty", "Error"):
            raise bad_request(f"Invalid model name specified: {model}")


def _check_function(integration: Record, verb: str | None) -> None:
    function_of(str(integration.get("uri", "")))
    if verb != "POST":
        raise NotSimulatedError(f"an integration of a function by {verb} (functions are invoked by POST)")
    if not _SHORTEST_MS <= int(integration.get("timeoutInMillis", _LONGEST_MS)) <= _LONGEST_MS:
        raise bad_request(f"Timeout should be between {_SHORTEST_MS} ms and {_LONGEST_MS} ms")
