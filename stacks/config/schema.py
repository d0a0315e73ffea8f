"""JSON schema of an environment's file, for editors, made from the types that read it.

``python -m stacks.config.schema`` writes it to environments/schema.json.
"""

import dataclasses
import json
import re
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from stacks.config.loading import ENVIRONMENTS
from stacks.config.model import Environment

SCHEMA_FILE = ENVIRONMENTS / "schema.json"
_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


def environment_schema() -> dict[str, Any]:
    """Return the JSON schema of an environment's file."""
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Tidegate environment"}
    return head | _schema(Environment)


def rendered() -> str:
    """Return the schema as the file holds it."""
    return json.dumps(environment_schema(), indent=2) + "\n"


def _schema(wanted: Any) -> dict[str, Any]:
    origin, arguments = get_origin(wanted), get_args(wanted)
    if dataclasses.is_dataclass(wanted):
        return _object(wanted)
    if origin is Annotated:
        inner, *constraints = arguments
        return _schema(inner) | {key: value for one in constraints for key, value in one.schema().items()}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, UnionType):
        (inner,) = [kind for kind in arguments if kind is not NoneType]
        return {"anyOf": [_schema(inner), {"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0])}
    return {"type": _SCALARS[wanted]}


def _object(wanted: Any) -> dict[str, Any]:
    hints = get_type_hints(wanted, include_extras=True)
    meanings = _meanings(wanted)
    properties: dict[str, Any] = {}
    for field in dataclasses.fields(wanted):
        properties[field.name] = _schema(hints[field.name]) | {"description": meanings[field.name]}
        if isinstance(field.default, (str, int, float, bool)):
            properties[field.name]["default"] = field.default
    required = [field.name for field in dataclasses.fields(wanted) if field.default is dataclasses.MISSING]
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _meanings(wanted: Any) -> dict[str, str]:
    """Return what each field means, from the class's docstring."""
    _, _, parameters = (wanted.__doc__ or "").partition("----------\n")
    entries = re.findall(r"^    (\w+)\n((?:^        .+\n?)+)", parameters, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def main() -> None:
    """Write environments/schema.json."""
    SCHEMA_FILE.write_text(rendered(), encoding="utf-8")


if __name__ == "__main__":
    main()
