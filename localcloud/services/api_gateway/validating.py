"""Request validators: parameters that must be there, bodies that must fit a model."""

import json
from functools import lru_cache
from typing import Any

from jsonschema import Draft4Validator

from localcloud.services.api_gateway.exchange import Exchange
from localcloud.services.api_gateway.gateway_errors import GatewayError
from localcloud.services.api_gateway.request import Request
from localcloud.services.api_gateway.rest_api import Record

_ERROR_TYPE = "BadRequestException"


def check_request(exchange: Exchange) -> None:
    """Raise `GatewayError` unless the request is what the method's validator asks for."""
    design = exchange.stage.snapshot.design
    validator = design.validators.get(exchange.method.get("requestValidatorId", ""))
    if validator is None:
        return
    if validator["validateRequestParameters"]:
        _check_parameters(exchange)
    if validator["validateRequestBody"]:
        _check_body(exchange, _model(exchange, design.models))


def _check_parameters(exchange: Exchange) -> None:
    wanted = sorted(name for name, needed in (exchange.method.get("requestParameters") or {}).items() if needed)
    absent = [name.split(".", 3)[3] for name in wanted if not _is_sent(exchange, name)]
    if absent:
        message = f"Missing required request parameters: [{', '.join(absent)}]"
        raise GatewayError("BAD_REQUEST_PARAMETERS", message, error_type=_ERROR_TYPE)


def _is_sent(exchange: Exchange, parameter: str) -> bool:
    kind, name = parameter.split(".", 3)[2:]
    if kind == "header":
        return bool(exchange.request.header(name))
    return bool(exchange.request.query.get(name) if kind == "querystring" else exchange.parameters.get(name))


def _model(exchange: Exchange, models: dict[str, Record]) -> str:
    """Return the schema for the body's media type; of another type than the models' nothing is asked."""
    by_type = exchange.method.get("requestModels") or {}
    name = by_type.get(_media_type(exchange.request)) or by_type.get("$default")
    return str(models[name].get("schema") or "{}") if name in models else ""


def _media_type(request: Request) -> str:
    return (request.header("content-type") or "application/json").split(";")[0].strip().lower()


@lru_cache(maxsize=64)
def _validator(schema: str) -> Any:
    return Draft4Validator(json.loads(schema))


def _check_body(exchange: Exchange, schema: str) -> None:
    if not schema:
        return
    try:
        body = json.loads(exchange.request.body or b"{}")
        problem = next((each.message for each in _validator(schema).iter_errors(body)), None)
    except ValueError as error:
        problem = str(error)
    if problem is not None:
        detail = f"[{problem}]"
        raise GatewayError("BAD_REQUEST_BODY", "Invalid request body", error_type=_ERROR_TYPE, detail=detail)
