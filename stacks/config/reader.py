"""Turns parsed YAML into the types of `stacks.config.model`, and gathers everything that does not fit."""

import dataclasses
from collections.abc import Mapping
from difflib import get_close_matches
from math import isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from lambdas.rollout.policy import PolicyError
from stacks.config.constraints import Constraint, Refused
from stacks.config.problems import ConfigError, Problem, joined

_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def read(wanted: Any, value: object, path: str = "") -> Any:
    """Return `value` as `wanted`, which is a dataclass or another annotation.

    Raises
    ------
    ConfigError
        With every problem in and below `value`.
    """
    origin = get_origin(wanted)
    if dataclasses.is_dataclass(wanted):
        return _read_dataclass(wanted, value, path)
    if origin is Annotated:
        return _read_annotated(wanted, value, path)
    if origin is Literal:
        return _read_literal(get_args(wanted), value, path)
    if origin in (Union, UnionType):
        return _read_optional(wanted, value, path)
    if origin is tuple:
        return _read_list(get_args(wanted)[0], value, path)
    return _read_scalar(wanted, value, path)


def _refuse(path: str, value: object, allowed: str, way_out: str) -> ConfigError:
    return ConfigError([Problem(path, value, allowed, way_out)])


_ABSENT = object()


def _read_scalar(wanted: Any, value: object, path: str) -> Any:
    accepted = (int, float) if wanted is float else (wanted,)
    if not isinstance(value, accepted) or (isinstance(value, bool) and wanted is not bool):
        raise _refuse(path, value, f"it must be {_WORDS[wanted]}", _way_to(wanted, value))
    return value


def _way_to(wanted: type, value: object) -> str:
    if value is None:
        return f"write {_WORDS[wanted]} after the colon"
    if isinstance(value, (list, dict)):
        return f"write {_WORDS[wanted]} instead, on one line"
    if wanted is str:
        return f'write it in quotation marks: "{value}"'
    if wanted is bool:
        return "write true or false, without quotation marks"
    if isinstance(value, float) and isfinite(value):
        # Some numbers may not be 0, and all may be 1.
        return f"round it to {max(round(value), 1)}"
    return "write it in digits, without quotation marks or a unit"


def _read_annotated(wanted: Any, value: object, path: str) -> Any:
    inner, *constraints = get_args(wanted)
    result = read(inner, value, path)
    for constraint in constraints:
        assert isinstance(constraint, Constraint)
        refused = constraint.refusal(result)
        if refused:
            raise _refuse(path, value, refused.reason, refused.way_out)
    return result


def _read_literal(choices: tuple[object, ...], value: object, path: str) -> Any:
    if value in choices and not isinstance(value, bool):
        return value
    way_out = _guess(value, choices) or _shortened(value, choices) or "choose one"
    raise _refuse(path, value, f"it must be one of {', '.join(map(str, choices))}", way_out)


def _read_optional(wanted: Any, value: object, path: str) -> Any:
    (inner,) = [kind for kind in get_args(wanted) if kind is not NoneType]
    return None if value is None else read(inner, value, path)


def _read_list(inner: Any, value: object, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _refuse(path, value, "it must be a list", "begin each entry with a hyphen")
    problems: list[Problem] = []
    entries = [_attempt(problems, inner, entry, f"{path}[{index}]") for index, entry in enumerate(value)]
    if problems:
        raise ConfigError(problems)
    return tuple(entries)


def _attempt(problems: list[Problem], wanted: Any, value: object, path: str) -> Any:
    """Read `value`; on failure note the problems and return None."""
    try:
        return read(wanted, value, path)
    except ConfigError as error:
        problems.extend(error.problems)
        return None


def _read_dataclass(wanted: Any, value: object, path: str) -> Any:
    hints = get_type_hints(wanted, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(wanted)}
    if not isinstance(value, Mapping):
        allowed = f"it must be a mapping with the fields {', '.join(fields)}"
        raise _refuse(path, value, allowed, "write each field on a line of its own, indented")
    problems = [_unknown(wanted, key, value[key], path, fields) for key in value if key not in fields]
    problems += [
        _empty(name, path) for name in fields if _is_empty(fields[name], hints[name], value.get(name, _ABSENT))
    ]
    problems += [_missing(name, path) for name, field in fields.items() if _is_required(field) and name not in value]
    given = {name: _attempt(problems, hints[name], value[name], joined(path, name)) for name in fields if name in value}
    if problems:
        raise ConfigError(problems)
    return _build(wanted, given, path)


def _build(wanted: Any, given: dict[str, Any], path: str) -> Any:
    try:
        return wanted(**given)
    except PolicyError as error:
        raise _refuse(joined(path, error.field), error.value, error.allowed, error.way_out) from None


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _is_empty(field: "dataclasses.Field[Any]", wanted: Any, value: object) -> bool:
    """Return whether a block is named that is left out by default, and nothing stands below its name.

    Whoever names it wants it; taken for left out, it would remove what is deployed.
    """
    return value is None and field.default is None and any(map(dataclasses.is_dataclass, get_args(wanted)))


def _empty(name: str, path: str) -> Problem:
    way_out = "write its fields below it, {} behind the colon to have it with its defaults, or remove the line"
    return Problem(joined(path, name), None, "there is nothing below it", way_out)


def _missing(name: str, path: str) -> Problem:
    return Problem(joined(path, name), None, "it is required", f"add {name}:")


def _unknown(wanted: Any, key: object, value: object, path: str, fields: Mapping[str, Any]) -> Problem:
    where = joined(path, str(key))
    refused: Refused | None = getattr(wanted, "refused", {}).get(key)
    if refused:
        return Problem(where, value, refused.reason, refused.way_out)
    way_out = _guess(key, tuple(fields)) or f"remove {key}:"
    return Problem(where, value, f"the fields here are {', '.join(fields)}", way_out)


def _guess(value: object, choices: tuple[object, ...]) -> str:
    close = get_close_matches(str(value).lower(), [str(choice) for choice in choices], n=1)
    return f"did you mean {close[0]}?" if close else ""


def _shortened(value: object, choices: tuple[object, ...]) -> str:
    """Guess what was written out in full, such as a day of the week."""
    begins = [choice for choice in choices if str(value).lower().startswith(str(choice))]
    return f"did you mean {begins[0]}?" if begins else ""
