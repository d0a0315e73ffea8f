"""Feature flags: documents as they are authored, checked, and as applications get them.

The form is that of the user guide's "type reference for AWS.AppConfig.FeatureFlags".
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError

_KEY = re.compile(r"[a-z][a-zA-Z\d_-]{0,63}")
_SECTIONS = {"version", "flags", "values"}
_FLAG_PARTS = {"name", "description", "attributes", "_createdAt", "_updatedAt", "_deprecation"}
_STAMPS = {"_createdAt", "_updatedAt"}
_CONSTRAINTS = {
    "type",
    "required",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "elements",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
}
_MOST_ATTRIBUTES = 25
_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
}


def rendered(content: bytes) -> bytes:
    """Return a checked document as applications get it: each flag with ``enabled`` and its attributes."""
    document = checked(content)
    values: Mapping[str, Any] = document.get("values") or {}
    return json.dumps({key: _given(values.get(key) or {}) for key in document.get("flags") or {}}).encode()


def checked(content: bytes) -> dict[str, Any]:
    """Return the document; raise BadRequestException that names what is wrong with it."""
    try:
        document = json.loads(content)
    except ValueError as error:
        raise _bad(f"the content is not JSON: {error}") from error
    _members(document, _SECTIONS, "the document")
    if document.get("version") != "1":
        raise _bad(f'version must be "1", not {document.get("version")!r}')
    flags, values = document.get("flags", {}), document.get("values", {})
    for name, section in (("flags", flags), ("values", values)):
        if not isinstance(section, Mapping):
            raise _bad(f"{name} must be an object")
    for key, flag in flags.items():
        _check_flag(key, flag)
    for key, value in values.items():
        if key not in flags:
            raise _bad(f"values.{key}: there is no flag of this name")
        _check_value(key, value, flags[key].get("attributes") or {})
    return dict(document)


def _given(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"enabled": False, **{name: item for name, item in value.items() if name not in _STAMPS}}


def _check_flag(key: str, flag: Any) -> None:
    where = f"flags.{key}"
    _check_key(key, where)
    _members(flag, _FLAG_PARTS, where)
    attributes = flag.get("attributes") or {}
    if len(attributes) > _MOST_ATTRIBUTES:
        raise _bad(f"{where}.attributes: at most {_MOST_ATTRIBUTES} are allowed")
    for name, attribute in attributes.items():
        _check_key(name, f"{where}.attributes")
        _members(attribute, {"description", "constraints"}, f"{where}.attributes.{name}")
        constraints = attribute.get("constraints") or {}
        _members(constraints, _CONSTRAINTS, f"{where}.attributes.{name}.constraints")
        if constraints and constraints.get("type") not in _TYPES:
            raise _bad(f"{where}.attributes.{name}.constraints.type must be one of {', '.join(_TYPES)}")


def _check_value(key: str, value: Any, attributes: Mapping[str, Any]) -> None:
    where = f"values.{key}"
    if isinstance(value, Mapping) and "_variants" in value:
        raise NotSimulatedError(f"{where}._variants (flags with variants)")
    _members(value, {"enabled", *_STAMPS, *attributes}, where)
    if not isinstance(value.get("enabled"), bool):
        raise _bad(f"{where}.enabled must be true or false")
    for name, attribute in attributes.items():
        constraints = attribute.get("constraints") or {}
        if name in value:
            _check_attribute(value[name], constraints, f"{where}.{name}")
        elif constraints.get("required") and value["enabled"]:
            raise _bad(f"{where}.{name} is required")


def _check_attribute(value: Any, constraints: Mapping[str, Any], where: str) -> None:
    kind = constraints.get("type")
    if kind is None:
        return
    if not _TYPES[kind](value):
        raise _bad(f"{where} must be of type {kind}, not {json.dumps(value)}")
    for name, holds in _BOUNDS.items():
        if name in constraints and not holds(value, constraints[name]):
            raise _bad(f"{where}: {json.dumps(value)} does not satisfy {name} {json.dumps(constraints[name])}")


def _elements_hold(value: Any, elements: Mapping[str, Any]) -> bool:
    try:
        for item in value:
            _check_attribute(item, elements, "element")
    except AwsError:
        return False
    return True


_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "enum": lambda value, allowed: value in allowed,
    "pattern": lambda value, pattern: re.search(pattern, value) is not None,
    "minimum": lambda value, least: value >= least,
    "maximum": lambda value, most: value <= most,
    "minLength": lambda value, least: len(value) >= least,
    "maxLength": lambda value, most: len(value) <= most,
    "minItems": lambda value, least: len(value) >= least,
    "maxItems": lambda value, most: len(value) <= most,
    "elements": _elements_hold,
}


def _check_key(key: str, where: str) -> None:
    if not _KEY.fullmatch(key):
        raise _bad(f"{where}: {key!r} must begin with a lower-case letter and have letters, digits, - and _ only")


def _members(value: Any, allowed: set[str], where: str) -> None:
    if not isinstance(value, Mapping):
        raise _bad(f"{where} must be an object")
    unknown = sorted(set(value) - allowed)
    if unknown:
        raise _bad(f"{where}: {unknown[0]!r} is not allowed here")


def _bad(message: str) -> AwsError:
    return AwsError("BadRequestException", f"The feature flags are not valid: {message}")
