"""Permissions of API Gateway's operations, whose actions are HTTP methods on paths of its own API."""

import re
from collections.abc import Mapping
from typing import Any

from localcloud.front.calls import service_model
from localcloud.front.permissions import Need, Params, Rule, Scope, Table

_SERVICE = "apigateway"
_OPERATIONS = (
    *(f"Get{name}" for name in ("Account", "ApiKey", "ApiKeys", "Authorizer", "Authorizers", "Deployment")),
    *(f"Get{name}" for name in ("Deployments", "Integration", "Method", "Model", "Models", "RequestValidator")),
    *(
        f"Get{name}"
        for name in ("RequestValidators", "Resource", "Resources", "RestApi", "RestApis", "Stage", "Stages")
    ),
    *(f"Get{name}" for name in ("Tags", "Usage", "UsagePlan", "UsagePlanKey", "UsagePlanKeys", "UsagePlans")),
    *("CreateApiKey", "UpdateApiKey", "DeleteApiKey", "CreateUsagePlanKey", "DeleteUsagePlanKey", "UpdateUsagePlan"),
    *("CreateDeployment", "UpdateStage", "DeleteStage", "FlushStageAuthorizersCache"),
)


def _rule(operation: str) -> Rule:
    model = service_model(_SERVICE).operation_model(operation)
    verb, template = str(model.http["method"]), str(model.http["requestUri"]).partition("?")[0]
    labels = _labels(model)

    def needs(params: Params, scope: Scope) -> list[Need]:
        path = re.sub(r"\{([^}]+)\}", lambda found: str(params[labels[found[1]]]), template)
        return [Need(f"{_SERVICE}:{verb}", f"arn:aws:{_SERVICE}:{scope.region}::{path}")]

    return needs


def _labels(model: Any) -> Mapping[str, str]:
    """Return the parameters of an operation by their names in its path."""
    members = model.input_shape.members.items() if model.input_shape is not None else ()
    return {shape.serialization.get("name", name): name for name, shape in members}


API_GATEWAY: Table = {f"{_SERVICE}:{name}": _rule(name) for name in _OPERATIONS}
