"""The description of a front door in OpenAPI 3.1.

`python -m lambdas.inference.openapi model.tar.gz` prints that of a model; `make docs` writes docs/openapi.yaml.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lambdas.contract import SLOTS
from lambdas.inference import headers, routes
from lambdas.inference.batch.keyed import KEY_PATTERN, LONGEST_KEY
from lambdas.inference.problems import CONTENT_TYPE, INSTANCE_PREFIX, KINDS, REQUEST_PREFIX, TYPE_PREFIX
from lambdas.inference.routes import ROUTES, Route
from lambdas.inference.signature import Signature

OPENAPI = "3.1.0"
SIGNATURE_FILE = "signature.json"
_OF_MODELS = frozenset({"invalid-input", "too-large", "model-failed", "busy", "timeout"})
"""What a model's container may have answered by itself."""

_RETRIED = frozenset({"busy", "unavailable", "throttled", "internal", "timeout"})
_ANSWERED_BY = ("model", "cache", "stale", "default", "batch")

SECURITY: Mapping[str, Mapping[str, Any]] = {
    "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "iam": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "A signature by AWS Signature Version 4, for the service execute-api",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
}
"""How callers show who they are, by the front door's `auth`."""


def document(
    signature: Signature | None = None, auth: Sequence[str] = tuple(SECURITY), most_rows: int | None = None
) -> dict[str, Any]:
    """Return the description.

    Parameters
    ----------
    signature
        What the model takes and gives; None for any model.
    auth
        How callers show who they are; several are alternatives.
    most_rows
        Most that a request may hold; None where that is not said.
    """
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "Tidegate front door",
            "version": "1",
            "summary": "Predictions of a model, whichever version of it is live",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [_server()],
        "security": [{each: []} for each in auth],
        "paths": paths,
        "components": {
            "schemas": _schemas(signature, most_rows),
            "securitySchemes": {each: dict(SECURITY[each]) for each in auth},
        },
    }


def _server() -> dict[str, Any]:
    variables = {"api": "example", "region": "eu-central-1", "stage": "live"}
    return {
        "url": "https://{api}.execute-api.{region}.amazonaws.com/{stage}",
        "variables": {name: {"default": value} for name, value in variables.items()},
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": route.operation, "summary": route.summary}
    parameters = [*_path_parameters(route), *map(_request_header, route.headers)]
    if parameters:
        operation["parameters"] = parameters
    if route.has_body:
        schema = {"$ref": "#/components/schemas/Instances"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    operation["responses"] = {str(route.answer.status): _answer(route), **_problems(route)}
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if route.is_keyed:
        schema |= {"maxLength": LONGEST_KEY, "pattern": KEY_PATTERN}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _request_header(name: str) -> dict[str, Any]:
    described = {"name": name, "in": "header", "description": routes.REQUEST_HEADERS[name]}
    if name == headers.TARGET:
        return described | {"schema": {"type": "string", "enum": list(SLOTS)}}
    text = {"type": "string", "minLength": 1, "maxLength": headers.LONGEST, "pattern": headers.PATTERN}
    return described | {"schema": text}


def _answer(route: Route) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{route.answer.schema}"}
    answer: dict[str, Any] = {"description": route.answer.description}
    if route.answer.headers:
        answer["headers"] = {name: _answer_header(name) for name in route.answer.headers}
    return answer | {"content": {route.answer.content_type: {"schema": schema}}}


def _answer_header(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if name == headers.ANSWER:
        schema["enum"] = list(_ANSWERED_BY)
    if name == headers.REPLAYED:
        schema["enum"] = ["true"]
    if name == headers.VARIANT:
        schema["enum"] = list(SLOTS)
    if name == headers.MODEL_STATUS:
        schema["pattern"] = r"^\d{1,3}$"
    if name == "Retry-After":
        schema = {"type": "integer", "minimum": 0}
    return {"description": routes.ANSWER_HEADERS[name], "schema": schema}


def _problems(route: Route) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for slug in (*route.problems, *routes.GATEWAY):
        for status in _statuses(slug):
            by_status.setdefault(status, []).append(slug)
    found = {str(status): _problem(status, list(dict.fromkeys(slugs))) for status, slugs in sorted(by_status.items())}
    return found | {str(status): {"description": said} for status, said in routes.UNDESIGNED.items()}


def _statuses(slug: str) -> tuple[int, ...]:
    return (KINDS[slug][0], *routes.GATEWAY_STATUSES.get(slug, ()))


def _problem(status: int, slugs: Sequence[str]) -> dict[str, Any]:
    """Return the answer of a status, which may be of several kinds."""
    kinds = {"type": {"enum": [f"{TYPE_PREFIX}{slug}" for slug in slugs]}, "status": {"const": status}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": kinds}]}
    retried = () if _RETRIED.isdisjoint(slugs) else ("Retry-After",)
    answer: dict[str, Any] = {"description": "; ".join(KINDS[slug][1] for slug in slugs)}
    whose = () if _OF_MODELS.isdisjoint(slugs) else (headers.VARIANT, headers.MODEL_STATUS)
    answer["headers"] = {name: _answer_header(name) for name in (headers.PREDICTION_ID, *whose, *retried)}
    return answer | {"content": {CONTENT_TYPE: {"schema": schema}}}


def _schemas(signature: Signature | None, most_rows: int | None) -> dict[str, Any]:
    return {
        "Instances": _instances(signature, most_rows),
        "Predictions": {
            "type": "object",
            "properties": {"predictions": _predictions(signature)},
            "required": ["predictions"],
        },
        "KeyedPrediction": {
            "type": "object",
            "properties": {"prediction": _keyed_prediction(signature)},
            "required": ["prediction"],
        },
        "JsonSchema": {"type": "object", "properties": {"$schema": {"type": "string"}}, "required": ["$schema"]},
        "Job": _job(signature),
        "Problem": _problem_schema(),
    }


def _instances(signature: Signature | None, most_rows: int | None) -> dict[str, Any]:
    if signature is not None:
        # The dialect is OpenAPI's own.
        return {key: value for key, value in signature.json_schema(most_rows).items() if key != "$schema"}
    rows: dict[str, Any] = {"type": "array", "items": {"type": ["array", "object"]}, "minItems": 1}
    if most_rows is not None:
        rows["maxItems"] = most_rows
    properties = {"instances": rows}
    return {"type": "object", "properties": properties, "required": ["instances"], "additionalProperties": False}


def _predictions(signature: Signature | None) -> dict[str, Any]:
    row: dict[str, Any] = {"type": "object"}
    if signature is not None and signature.outputs:
        anything = {"type": ["number", "string", "boolean", "array", "null"]}
        row |= {"properties": dict.fromkeys(signature.outputs, anything), "required": list(signature.outputs)}
    return {"type": "array", "items": row, "minItems": 1}


def _keyed_prediction(signature: Signature | None) -> dict[str, Any]:
    """Return the schema of a batch's answer, which is a list where CSV has more cells than the model has outputs."""
    return {"anyOf": [_predictions(signature)["items"], {"type": "array"}]}


def _job(signature: Signature | None) -> dict[str, Any]:
    time = {"type": "string", "format": "date-time"}
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "status": {"type": "string", "enum": ["queued", "running", "done", "failed"]},
            "created_at": time,
            "ended_at": time,
            "model_version": {"type": "string"},
            "predictions": _predictions(signature),
            "problem": {"$ref": "#/components/schemas/Problem"},
        },
        "required": ["id", "status"],
    }


def _problem_schema() -> dict[str, Any]:
    error = {
        "type": "object",
        "properties": {
            "row": {"type": "integer", "minimum": 1},
            "column": {"type": "string"},
            "value": {"type": ["string", "number", "boolean", "null"]},
            "detail": {"type": "string"},
        },
        "required": ["row", "detail"],
    }
    return {
        "type": "object",
        "description": "A problem document (RFC 9457)",
        "properties": {
            "type": {"type": "string", "enum": [f"{TYPE_PREFIX}{slug}" for slug in KINDS]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "instance": {"type": "string", "pattern": f"^({INSTANCE_PREFIX}|{REQUEST_PREFIX})"},
            "errors": {"type": "array", "items": error},
        },
        "required": ["type", "title", "detail"],
    }


def signature_in(archive: Path) -> Signature:
    """Return the signature of a model's archive."""
    import json
    import tarfile

    with tarfile.open(archive) as files:
        found = files.extractfile(SIGNATURE_FILE)
        if found is None:
            raise FileNotFoundError(f"{archive} has no file {SIGNATURE_FILE}")
        return Signature.from_document(json.load(found))


def main(arguments: Sequence[str]) -> int:
    """Write the description of the front door of a model, or of any model when no archive is given."""
    from lambdas.inference.yaml_text import written

    signature = signature_in(Path(arguments[0])) if arguments else None
    sys.stdout.write(written(document(signature)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
